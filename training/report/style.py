"""The style sheet: light and dark, screen and paper, wide and narrow."""

STYLE = """
:root{--bg:#fff;--panel:#f6f8fa;--ink:#17202b;--soft:#54606e;--rule:#d9dfe6;--accent:#1d4ed8;--slm:#0b7a75;
--mid:#b45309;--frontier:#7c3aed;--good:#116639;--good-bg:#e0f4e7;--doubt:#7a4b00;--doubt-bg:#fdf0d5;
--bad:#9b1c1c;--bad-bg:#fde4e4;--hue-3:#be185d;--hue-4:#4d7c0f;--hue-5:#0369a1}
@media (prefers-color-scheme:dark){:root{--bg:#0f1419;--panel:#171e26;--ink:#e6eaef;--soft:#a4afbc;
--rule:#2e3843;--accent:#7fb2ff;--slm:#4fd1c5;--mid:#f6ad55;--frontier:#c4a5fd;--good:#86e0a6;--good-bg:#12301f;
--doubt:#f3cd7e;--doubt-bg:#372a0c;--bad:#fca5a5;--bad-bg:#3b1717;--hue-3:#f59ac6;--hue-4:#b6d96b;--hue-5:#67c7f5}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem clamp(1rem,3vw,2.5rem) 4rem;max-width:1280px;background:var(--bg);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
h1{font-size:clamp(1.6rem,4vw,2.2rem);line-height:1.2;margin:0 0 .3rem;letter-spacing:-.015em}
h2{font-size:1.35rem;margin:0 0 .6rem;letter-spacing:-.01em}
h3{font-size:1.05rem;margin:1.2rem 0 .4rem}
section{margin-top:3rem}
p{max-width:48rem;margin:.4rem 0 .8rem}
.note,.bounds{color:var(--soft);font-size:.84rem}
.lead{font-size:1.06rem;max-width:56rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.7rem 0;border-bottom:1px solid var(--rule);font-size:.9rem}
a{color:var(--accent);text-underline-offset:.2em}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem;margin-bottom:1.2rem}
.tile{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:.9rem 1.1rem}
.tile strong{display:block;font-size:1.7rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.9rem}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,33rem),1fr));gap:1.4rem}
.grid.small{grid-template-columns:repeat(auto-fill,minmax(min(100%,18.5rem),1fr))}
figure{margin:0;padding:.9rem 1rem;background:var(--panel);border:1px solid var(--rule);border-radius:10px;
min-width:0;break-inside:avoid}
figcaption{font-weight:600}
figure p{margin:.3rem 0 0}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.3rem 0 1rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.45rem .5rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:.82rem;vertical-align:bottom;border-bottom-width:2px}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
abbr[title]{text-decoration:underline dotted var(--soft);text-underline-offset:.2em;cursor:help}
.value,.bounds,.model{display:block}
.value{font-weight:600}
.model{font-size:.84rem;white-space:nowrap}
code{font:.8rem/1.4 ui-monospace,"Liberation Mono",monospace;color:var(--soft)}
.ours{font-weight:600}
.chip{display:inline-block;padding:.08rem .55rem;border-radius:12px;font-size:.82rem;white-space:normal;
background:var(--panel);border:1px solid var(--rule)}
.chip.claimed{color:var(--good);background:var(--good-bg);border-color:currentColor}
.chip.unproven{color:var(--doubt);background:var(--doubt-bg);border-color:currentColor}
.chip.worse,.chip.not_reached{color:var(--bad);background:var(--bad-bg);border-color:currentColor}
.swatch{display:inline-block;width:.62em;height:.62em;border-radius:2px;margin-right:.35em;background:var(--soft)}
.mixed{display:block;min-width:8.4rem}
.mixed .bounds span{margin-right:.35rem;white-space:nowrap}
.mix{display:block;width:100%;height:10px;border-radius:3px;background:var(--rule)}
.mix-row{display:grid;grid-template-columns:7.6rem 1fr;gap:.6rem;align-items:start;margin-top:.5rem}
.mix-name{font-size:.84rem;line-height:1}
.swatch.slm,.key.slm{background:var(--slm)}.swatch.mid,.key.mid{background:var(--mid)}
.swatch.frontier,.key.frontier{background:var(--frontier)}
.chart{display:block;width:100%;min-width:19rem;height:auto;color:var(--ink)}
.scroll .chart[viewBox^="0 0 470"],.scroll .chart[viewBox^="0 0 620"]{min-width:25rem}
.scroll .chart[viewBox^="0 0 760"]{min-width:34rem;max-width:60rem}
.chart{max-width:46rem}.grid.small .chart{max-width:24rem}
.chart text{font-size:11px;fill:var(--ink)}
.chart .label{paint-order:stroke;stroke:var(--panel);stroke-width:3px;stroke-linejoin:round}
.chart .tick,.chart .title{fill:var(--soft)}
.chart .middle{text-anchor:middle}.chart .end{text-anchor:end}
line.grid{stroke:var(--rule);stroke-width:1}
line.axis{stroke:var(--soft);stroke-width:1}
line.ideal{stroke:var(--soft);stroke-dasharray:4 4}
line.leader{stroke:var(--soft);stroke-width:.8;opacity:.7}
rect.shade{fill:var(--rule);opacity:.45}
.line{fill:none;stroke:var(--soft);stroke-width:1.6;stroke-linejoin:round}
.line.plan{stroke:var(--accent);stroke-width:3}
.line.prompt-only{stroke:var(--accent);stroke-width:1.5;stroke-dasharray:6 4}
.line.mixture{stroke:var(--soft);stroke-width:1.6;stroke-dasharray:2 3}
.bar{stroke:var(--accent);stroke-width:1.4;opacity:.75}
.mark{stroke:var(--panel);stroke-width:1.2;fill:var(--soft)}
.mark.point{fill:var(--accent)}
.mark.point-prompt{fill:none;stroke:var(--accent);stroke-width:1.8}
.mark.baseline{fill:var(--panel);stroke:var(--soft);stroke-width:1.6}
.mark.slm,rect.slm{fill:var(--slm)}.mark.mid,rect.mid{fill:var(--mid)}
.mark.frontier,rect.frontier{fill:var(--frontier)}
rect.share{stroke:none}
.bubble{fill-opacity:.55;stroke-width:1.4}
.bubble.slm{stroke:var(--slm)}.bubble.mid{stroke:var(--mid)}.bubble.frontier{stroke:var(--frontier)}
.chart .label.point{font-weight:700;fill:var(--accent)}.chart .label.point-prompt{fill:var(--accent)}
.chart .label.baseline{fill:var(--soft)}
.chart .label.slm{fill:var(--slm)}.chart .label.mid{fill:var(--mid)}.chart .label.frontier{fill:var(--frontier)}
.line.hue-0{stroke:var(--accent);stroke-width:2.4}.line.hue-1{stroke:var(--mid)}.line.hue-2{stroke:var(--frontier)}
.line.hue-3{stroke:var(--hue-3)}.line.hue-4{stroke:var(--hue-4)}.line.hue-5{stroke:var(--hue-5)}
.chart .label.hue-0{fill:var(--accent)}.chart .label.hue-1{fill:var(--mid)}
.chart .label.hue-2{fill:var(--frontier)}.chart .label.hue-3{fill:var(--hue-3)}
.chart .label.hue-4{fill:var(--hue-4)}.chart .label.hue-5{fill:var(--hue-5)}.chart .label.hue-rest{fill:var(--soft)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;padding:0;margin:.2rem 0 1rem;font-size:.88rem}
.legend li{display:flex;align-items:center;gap:.45rem}
.key.line{width:1.8rem;height:0;border-top:2px dotted var(--soft)}
.key.line.plan{border-top:3px solid var(--accent)}.key.line.prompt-only{border-top:2px dashed var(--accent)}
.key.dot{width:.75rem;height:.75rem;border-radius:50%;border:2px solid transparent}
.key.square{border-radius:0}.key.diamond{border-radius:0;transform:rotate(45deg) scale(.85)}
.key.point{background:var(--accent)}.key.point-prompt{border-color:var(--accent)}.key.baseline{border-color:var(--soft)}
.box{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:.3rem 1.3rem .9rem;margin:1rem 0}
.box h3{margin-top:.8rem}.box ul{padding-left:1.1rem;margin:.3rem 0;max-width:56rem}.box li{margin:.3rem 0}
dl{display:grid;grid-template-columns:minmax(8rem,13rem) 1fr;gap:.35rem 1.2rem;margin:.3rem 0}
dt{font-weight:600}dd{margin:0}
details{border-bottom:1px solid var(--rule);padding:.3rem 0}
summary{cursor:pointer}
pre{overflow:auto;max-height:30rem;font:.78rem/1.4 ui-monospace,"Liberation Mono",monospace}
@media (max-width:640px){dl{grid-template-columns:1fr}
dd{margin-bottom:.5rem}.mix-row{grid-template-columns:1fr;gap:.2rem}
th,td{padding:.4rem .5rem}section{margin-top:2.2rem}}
@media print{body{padding:0;max-width:none;font-size:10.5pt}nav,#everything{display:none}.scroll{overflow:visible}
section{margin-top:1.6rem}tr{break-inside:avoid}.chart{min-width:0!important}.box,.tile,figure{background:none}
table{font-size:8.5pt}th,td{padding:.25rem .35rem}}
""".strip()
