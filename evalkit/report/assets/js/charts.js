/* Charts: the library is unpacked and run only after the first example is on the screen. */

const PLOTLY = { displaylogo: false, responsive: true, showLink: false, plotlyServerURL: '', modeBarButtonsToRemove: ['lasso2d', 'select2d'] };

// The library decodes entities through innerHTML when it makes a PNG; anything with a tag in it is refused.
const policies = window.trustedTypes && {
  library: trustedTypes.createPolicy('evalkit', { createScript: (source) => source }),
  html: trustedTypes.createPolicy('default', { createHTML: (text) => (text.includes('<') ? null : text) }),
};

async function drawCharts() {
  const figures = JSON.parse($('#figures').textContent);
  if (!Object.keys(figures).length) return;
  const source = await gunzip($('#library'));
  const script = document.createElement('script');
  script.textContent = policies ? policies.library.createScript(source) : source;
  document.head.append(script);
  // The still drawing gives way on the screen and stays for print.
  document.documentElement.dataset.charts = 'drawn';
  for (const [name, figure] of Object.entries(figures)) {
    const place = document.getElementById(`p-${name}`);
    place.hidden = false;
    await Plotly.newPlot(place, figure.data, figure.layout, PLOTLY);
  }
}
