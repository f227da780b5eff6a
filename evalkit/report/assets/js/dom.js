/* Small helpers. Text of models reaches the page through textContent only; there is no HTML sink in this script. */

const $ = (selector) => document.querySelector(selector);
const META = JSON.parse($('#meta').textContent);

/** Make an element: attributes (null leaves one out, `text` and `on…` are special), then children. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (key === 'text') made.textContent = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const button = (label, onclick, more = {}) => el('button', { type: 'button', onclick, text: label, ...more });
const say = (message) => { $('#status').textContent = message; };
const thousands = (number) => number.toLocaleString('en-US');

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // file:// in some browsers, or no permission
    const area = el('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say('Copied');
}
