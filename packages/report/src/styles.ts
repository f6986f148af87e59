import { colorRules, fonts } from './theme.ts';

/** The style sheet of every page. */
export const styles: string = `${colorRules(':root')}
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--e-paper);color:var(--e-ink);font:16px/1.55 ${fonts};text-rendering:optimizeLegibility}
main,header,footer{max-width:920px;margin:0 auto;padding:0 24px}
header{padding-top:48px}
.brand{display:flex;align-items:center;gap:8px;color:var(--e-accent);font-size:13px;font-weight:600;letter-spacing:.02em}
.brand svg{width:20px;height:20px}
h1{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.02em;margin:20px 0 8px;overflow-wrap:anywhere}
.intro{max-width:40em;font-size:20px;line-height:1.45;letter-spacing:-.005em;margin:14px 0 0;text-wrap:pretty;overflow-wrap:anywhere}
.meta{color:var(--e-muted);font-size:14px;margin:0;overflow-wrap:anywhere}
nav{margin:28px 0 0;padding:12px 0;border-block:1px solid var(--e-line);font-size:14px}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:0;padding:0}
nav a{color:var(--e-muted);text-decoration:none}
nav a:hover{color:var(--e-accent);text-decoration:underline;text-underline-offset:3px}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--e-accent);outline-offset:3px;border-radius:3px}
section{margin:52px 0 0;scroll-margin-top:16px}
h2{font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:0 0 4px}
h3{font-size:15px;font-weight:600;margin:28px 0 4px}
section>p{max-width:46em;color:var(--e-muted);margin:0 0 12px;font-size:15px;overflow-wrap:anywhere}
.notice{border-left:3px solid var(--e-s2);padding:8px 14px;margin:20px 0 0;background:var(--e-card);font-size:15px;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(136px,1fr));gap:1px;margin:32px 0 0;background:var(--e-card);border:1px solid var(--e-line);border-radius:10px;overflow:hidden}
.tile{box-shadow:0 0 0 1px var(--e-line);padding:16px 18px 18px;display:flex;flex-direction:column}
.tile dt{color:var(--e-muted);font-size:13px}
.tile dd{margin:0}
.tile .value{font-size:24px;line-height:1.35;font-weight:620;letter-spacing:-.02em;font-variant-numeric:tabular-nums;white-space:nowrap}
.tile .from{color:var(--e-muted);font-size:13px;line-height:1.45;flex:1}
.tile .from span{display:block}
.tile .bar{width:100%;margin-top:12px}
.scroll{overflow-x:auto;margin:16px 0 0;background:linear-gradient(90deg,var(--e-paper) 30%,transparent) 0 0/48px 100% no-repeat local,linear-gradient(270deg,var(--e-paper) 30%,transparent) 100% 0/48px 100% no-repeat local,linear-gradient(90deg,var(--e-line),transparent) 0 0/14px 100% no-repeat scroll,linear-gradient(270deg,var(--e-line),transparent) 100% 0/14px 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.4}
table.slim{width:auto;min-width:min(100%,26em)}
caption{text-align:left;color:var(--e-muted);font-size:13px;padding:0 0 8px}
th,td{text-align:left;padding:7px 18px 7px 0;border-bottom:1px solid var(--e-line);vertical-align:baseline;font-weight:400}
th:last-child,td:last-child{padding-right:2px}
thead th{color:var(--e-muted);font-size:13px;vertical-align:bottom;border-bottom-color:var(--e-muted)}
tbody th,td{overflow-wrap:break-word;max-width:26em}
tbody tr:last-child>*{border-bottom:0}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.strong,tbody th.strong{font-weight:620}
td.strong small{font-weight:400}
.arrow{white-space:nowrap}
.was,.none,small{color:var(--e-muted)}
small{font-size:12.5px;display:block}
.bar{position:relative;display:inline-block;width:104px;height:8px;vertical-align:middle}
.bar i,.bar b{position:absolute;inset:0 auto 0 0;border-radius:2px;background:var(--e-track);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar b{background:var(--e-accent)}
.keyed{display:flex;gap:8px;align-items:baseline}
.swatch{flex:none;min-width:26px;padding:0 5px;border-radius:3px;color:var(--e-paper);font-size:12px;font-weight:600;text-align:center;print-color-adjust:exact;-webkit-print-color-adjust:exact}
figure{margin:20px 0 0}
figcaption{font-size:14px;font-weight:600;margin:0 0 8px}
figure svg{display:block;max-width:100%;height:auto}
figure .scroll{margin:0}
figure .scroll svg{max-width:none}
figure .e-graph{margin:0 auto}
.bleed{width:max-content;min-width:100%;max-width:calc(100vw - 48px);position:relative;left:50%;transform:translateX(-50%)}
.narrow{display:none}
.pair{display:flex;flex-wrap:wrap;gap:8px 32px}
details{margin:12px 0 0;font-size:14px}
summary{cursor:pointer;color:var(--e-muted);width:fit-content}
details .scroll{max-height:420px;overflow:auto}
ul.notes{margin:12px 0 0;padding:0 0 0 1.2em;font-size:15px}
ul.notes li{margin:2px 0;overflow-wrap:anywhere}
footer{color:var(--e-muted);font-size:13px;margin-top:64px;padding-bottom:48px}
footer p{border-top:1px solid var(--e-line);padding-top:16px;margin:0}
@media(max-width:640px){
main,header,footer{padding-inline:16px}
header{padding-top:28px}
h1{font-size:25px}
.intro{font-size:17px}
.wide{display:none}
.narrow{display:block}
.tiles{grid-template-columns:1fr 1fr}
.bar{width:72px}
.extra{display:none}
th,td{padding-right:14px}
}
@media print{
body{font-size:11pt}
nav,details:not([open]){display:none}
header{padding-top:0}
section{margin-top:28px}
figure,.tiles,tr{break-inside:avoid}
h2,h3,section>p,caption{break-after:avoid}
.scroll,details .scroll{overflow:visible;max-height:none;background:none}
figure .scroll svg{max-width:100%}
.tiles{grid-template-columns:repeat(auto-fit,minmax(88px,1fr))}
.tile{padding:10px}
.tile .value{font-size:14pt}
.wide{display:block}
.narrow{display:none}
}`;
