#ifndef ROWTIDE_CHANGESET_HTML_STYLE_H
#define ROWTIDE_CHANGESET_HTML_STYLE_H

/* The look of the page, in pieces because C limits the length of a literal. */
static const char *const html_style[] = {
    ":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b1f24;"
    "--soft:#667080;--line:#e3e6eb;--ins:#1a7f4b;--insbg:#e4f6eb;"
    "--del:#c0362c;--delbg:#fdeae8;--upd:#9a6200;--updbg:#fdf2dc;"
    "--mark:#bde9cd;--markdel:#f8c6c1;--link:#2457c5;"
    "--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#171b21;"
    "--ink:#e3e7ed;--soft:#8f9aa9;--line:#2a313b;--ins:#5fd08f;"
    "--insbg:#12291d;--del:#ff8d83;--delbg:#321a19;--upd:#e9b44c;"
    "--updbg:#2d2413;--mark:#1f5c3b;--markdel:#6e2b27;--link:#8fb4ff}}\n",
    "*{box-sizing:border-box}\n"
    "html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main{max-width:64rem;margin:0 auto;padding:2rem 1rem 4rem}\n"
    "h1{font-size:1.5rem;line-height:1.2;margin:0 0 .25rem;"
    "overflow-wrap:anywhere}\n"
    "p{margin:.25rem 0 1rem;color:var(--soft)}\n"
    "a{color:var(--link);text-decoration:none}a:hover{text-decoration:"
    "underline}\n",
    "section,nav{background:var(--card);border:1px solid var(--line);"
    "border-radius:12px;margin:1.25rem 0;overflow:clip}\n"
    "section>h2{font-size:1.05rem;margin:0;padding:.8rem 1rem;"
    "display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}\n"
    "h2 small{font-weight:400;color:var(--soft);font-size:.85rem}\n"
    "h2 .n{margin-left:auto}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;vertical-align:top;padding:.4rem 1rem}\n",
    "nav td,nav th{border-top:1px solid var(--line);padding:.5rem 1rem}\n"
    "nav tr:first-child th{border-top:0}\n"
    "nav td+td,nav th+th{text-align:right;white-space:nowrap;width:1%;"
    "font-variant-numeric:tabular-nums}\n"
    "thead th{font-size:.75rem;font-weight:600;color:var(--soft);"
    "letter-spacing:.02em}\n"
    "nav td:first-child{overflow-wrap:anywhere}\n"
    "nav tfoot td{font-weight:600}\n"
    ".i{color:var(--ins)}.u{color:var(--upd)}.d{color:var(--del)}"
    ".z{color:var(--soft);opacity:.6}\n",
    ".rows{table-layout:fixed}.rows col:first-child{width:22%}\n"
    ".rows td{font-family:var(--mono);font-size:.86rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere;border-left:1px solid "
    "var(--line)}\n"
    ".rows td:first-child,.rows th{border-left:0}\n"
    ".rows td:first-child{color:var(--soft);padding-left:1rem}\n"
    ".rows tbody{border-top:1px solid var(--line)}\n"
    ".rows tbody th{font-weight:400;padding:.55rem 1rem .3rem}\n"
    ".rows tbody tr:last-child td{padding-bottom:.7rem}\n"
    ".rows thead th{position:sticky;top:0;background:var(--card);"
    "z-index:1;box-shadow:0 1px 0 var(--line)}\n",
    ".b{display:inline-block;font-size:.75rem;font-weight:600;"
    "border-radius:99px;padding:.05rem .6rem;margin-right:.5rem}\n"
    ".b.i{background:var(--insbg)}.b.u{background:var(--updbg)}"
    ".b.d{background:var(--delbg)}\n"
    ".k{font-family:var(--mono);font-size:.9rem;overflow-wrap:anywhere}\n"
    ".k i,.h{color:var(--soft);font-style:normal}\n"
    ".h{font-size:.75rem;margin-left:.5rem}\n"
    "td.new{background:var(--insbg)}td.old{background:var(--delbg)}\n"
    ".rows td.none{color:var(--soft);opacity:.6}\n",
    "mark{background:var(--mark);color:inherit;border-radius:3px}"
    "td.old mark{background:var(--markdel)}\n"
    ".e{color:var(--upd);border:1px solid currentColor;border-radius:3px;"
    "font-size:.75em;padding:0 .15em;margin:0 .05em;opacity:.85}\n"
    ".t,.null{color:var(--soft);font-style:italic}\n"
    ".l{max-height:16rem;overflow:auto}\n"
    "@media(max-width:38rem){main{padding:1.25rem .6rem 3rem}"
    "th,td,nav td,nav th,.rows tbody th{padding-left:.6rem;padding-right:.6rem}"
    ".rows td{font-size:.8rem}.rows td:first-child{padding-left:.6rem}"
    ".rows col:first-child{width:26%}section>h2{padding:.7rem .6rem}"
    "h2 .n{margin-left:0}}\n"
    "@media print{body{background:#fff}section,nav{break-inside:auto}}\n",
};

#endif
