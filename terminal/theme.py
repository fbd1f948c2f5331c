"""What every page's head holds: the style sheet, and the one script, which knows the reader's zone and theme."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from urllib.parse import quote

from .markup import Markup

SERIES = {"slm": "#2f9c90", "mid": "#5d83d6", "frontier": "#b8689f", "none": "#98a2b3"}
"""Colours of tiers in charts, readable on light and dark."""
PALETTE = ("#2f9c90", "#5d83d6", "#b8689f", "#c98a12", "#7a8f3c", "#8b6fd0", "#c4683f", "#4d93b8", "#98a2b3")
THEME_COOKIE = "x25_theme"
SCRIPT = """
(() => {
  const chosen = (document.cookie.match(/(?:^|; )x25_theme=(light|dark)/) || [])[1];
  const wants = matchMedia('(prefers-color-scheme: dark)');
  const show = () => { document.documentElement.dataset.theme = chosen || (wants.matches ? 'dark' : 'light'); };
  show(); wants.addEventListener('change', show);
  window.x25Theme = () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    document.cookie = `x25_theme=${next}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  };
  window.x25Copy = async (button, id) => {
    const text = document.getElementById(id).textContent;
    try { await navigator.clipboard.writeText(text); } catch {
      const range = document.createRange(); range.selectNodeContents(document.getElementById(id));
      getSelection().removeAllRanges(); getSelection().addRange(range); document.execCommand('copy');
    }
    button.textContent = 'Copied';
  };
  const local = root => root.querySelectorAll('time[data-local]').forEach(one => {
    const at = new Date(one.dateTime); one.title = one.dateTime; one.removeAttribute('data-local');
    one.textContent = at.toLocaleString(undefined,
      {month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit'});
  });
  new MutationObserver(() => local(document)).observe(document.documentElement, {childList: true, subtree: true});
  document.addEventListener('DOMContentLoaded', () => local(document));
  const listen = () => {
    if (!window.socket) { setTimeout(listen, 50); return; }
    window.socket.on('x25', parts => {
      if (parts.leave) { location.href = parts.leave; return; }
      for (const [name, markup] of Object.entries(parts))
        document.querySelectorAll(`[data-live="${name}"]`).forEach(one => { one.innerHTML = markup; });
    });
    const tell = () => window.socket.emit('x25_seen', !document.hidden);
    window.socket.on('connect', tell); document.addEventListener('visibilitychange', tell);
    if (window.socket.connected) tell();
  };
  document.addEventListener('DOMContentLoaded', listen);
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') document.querySelectorAll('details.menu[open]').forEach(one => { one.open = false; });
  });
  document.addEventListener('click', event => {
    document.querySelectorAll('details.menu[open]').forEach(one => {
      if (!one.contains(event.target)) one.open = false;
    });
  });
})();
"""


ICON = quote(
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='#1d6f69'/>"
    "<path d='M8 22 14 14l4 5 6-10' fill='none' stroke='#fff' stroke-width='3' stroke-linecap='round'/></svg>"
)


@cache
def theme_css() -> str:
    """Return the style sheet."""
    return (files(__package__) / "theme.css").read_text("utf-8")


@cache
def head() -> Markup:
    """Return what goes into every page's head."""
    version = sha256(theme_css().encode()).hexdigest()[:12]
    return Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:image/svg+xml,{}">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="theme.css?v={}">'
        "<script>{}</script>"
    ).format(ICON, version, Markup(SCRIPT))
