//! The style of a listing, and the script of its filter box.
//!
//! Both are constant, and the policy lets a browser run these two and nothing else: a script
//! smuggled into a name past every escape would still not run.

/// The page's policy (Content Security Policy Level 3): the hashes are of the bytes between the
/// tags, SHA-256 in base64. A test recomputes them.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-2nc9RaVHIg1LF8DVUCDHutlOpkgMi+RIPgXQVOStFdA='; \
script-src 'sha256-n1k5GDP4ej2S1oOCL2Tu9/hzbUagitw6MrjBCZnWONI='; base-uri 'none'; form-action 'none'";

/// The browser's own colours for light and dark; lines are half-transparent, and so fit both.
pub const STYLE: &str = "
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.25rem;overflow-wrap:anywhere}
bdi{white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid #8883}
th:nth-child(2),td:nth-child(2){text-align:right}
th,td:nth-child(n+2){white-space:nowrap}
th[aria-sort=ascending] a::after{content:\" \\2191\"}
th[aria-sort=descending] a::after{content:\" \\2193\"}
tr>:first-child{width:100%;padding-left:0}
tr>:last-child{padding-right:0}
tbody tr:hover{background:#8882}
a{text-decoration:none}
td a{display:block}
a:hover,a:focus{text-decoration:underline}
td a[href$=\"/\"]{font-weight:600}
input{font:inherit;padding:.2rem .4rem;max-width:60%}
@media(max-width:32rem){table{font-size:.9rem}th span,time span{display:none}}
";

/// Shows the box, and hides the rows that do not contain its text. The browser may have kept the
/// text from before.
pub const SCRIPT: &str = "
const box = document.getElementById('filter');
const input = box.querySelector('input');
const rows = document.querySelectorAll('tbody tr:not(.up)');
input.oninput = () => {
  const part = input.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(part);
    count += !row.hidden;
  }
  box.querySelector('output').value = part && count + ' of ' + rows.length;
};
box.hidden = !rows.length;
input.oninput();
";
