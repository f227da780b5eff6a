/* Light or dark: the system's choice until the reader makes another. */

function switchTheme() {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  root.dataset.theme = (root.dataset.theme ?? system) === 'dark' ? 'light' : 'dark';
}

$('#theme').hidden = false;
$('#theme').addEventListener('click', switchTheme);
