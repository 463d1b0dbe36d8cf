using System.Net;

namespace Rpat.Trainer.Report;

/// <summary>A page without scripts or external resources, for screens of any width and for paper.</summary>
internal static class Html
{
    // Columns that a phone shows side by side, and letters of a cell that is not broken.
    private const int Side = 3, Longest = 26, Unfolded = 4;

    private const string Css = """
        :root{color-scheme:light dark;--ink:#1b1f24;--soft:#5c6670;--line:#d8dee4;--page:#f6f7f9;--card:#fff;--accent:#0072b2;
        --good:#00795a;--bad:#b84a00;--warn-back:#fff6e5;--warn-line:#e0a100}
        @media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3abb3;--line:#3a4149;--page:#121417;--card:#1c1f24;--accent:#4db1ea;
        --good:#2fcf9f;--bad:#ff8f45;--warn-back:#2d2612;--warn-line:#a37c12}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:66rem;margin:0 auto;padding:1.5rem 1rem 3rem}
        h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
        h2{font-size:1.15rem;margin:2.25rem 0 .75rem}
        p{margin:.25rem 0}
        .soft{color:var(--soft)}
        .badge{display:inline-block;padding:.05rem .6rem;border-radius:1rem;border:1px solid currentColor;font-size:.8rem;
        vertical-align:middle;white-space:nowrap}
        .good{color:var(--good)}.bad{color:var(--bad)}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin-top:1.25rem}
        .card,figure,.scroll,details{background:var(--card);border:1px solid var(--line);border-radius:.6rem}
        .card{padding:.8rem 1rem}
        .card b{display:block;font-size:1.7rem;line-height:1.2;font-variant-numeric:tabular-nums}
        .card span{display:block;font-size:.82rem;color:var(--soft)}
        .warn{list-style:none;margin:0;padding:0}
        .warn li{background:var(--warn-back);border-left:.3rem solid var(--warn-line);padding:.5rem .8rem;margin:.4rem 0;
        border-radius:.3rem;overflow-wrap:anywhere}
        .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:.9rem}
        figure{margin:0;padding:.6rem;min-width:0;break-inside:avoid}
        figure svg{display:block;margin:0 auto}
        .strip{overflow-x:auto}
        .sheet{min-width:34rem;max-width:60rem;margin:0 auto}
        .sheet img{display:block;width:100%;height:auto;background:#fff}
        .names{display:grid;font-size:.72rem;line-height:1.25;text-align:center;padding-top:.25rem}
        .names span{padding:0 .15rem;overflow-wrap:anywhere;min-width:0}
        figcaption{font-size:.85rem;color:var(--soft);padding:.5rem .3rem .1rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}
        th,td{padding:.38rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
        th,.words{white-space:normal}.words{overflow-wrap:anywhere;min-width:7rem}
        th{color:var(--soft);font-weight:600;font-size:.82rem}
        tr:last-child td{border-bottom:0}
        th:first-child,td:first-child,.text td,.text th{text-align:left}
        .text td{white-space:normal;overflow-wrap:anywhere;vertical-align:top}
        .text td:first-child{width:14rem;color:var(--soft)}
        .stage td{color:var(--soft);font-size:.85rem;border-bottom-style:dotted}
        .stage td:first-child{padding-left:2rem}
        @media (max-width:39rem){.strip+figcaption::before{content:"Scroll sideways to see all. "}}
        @media (max-width:40rem){.text td:first-child{width:42%;min-width:0}h2{margin-top:1.75rem}}
        @media (max-width:40rem){.stack thead{display:none}.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
        .stack tr:last-child{border-bottom:0}.stack td{display:flex;justify-content:space-between;gap:1rem;border:0;white-space:normal;
        padding:.15rem .8rem;overflow-wrap:anywhere;min-width:0}.stack td:empty{display:none}
        .stack td::before{content:attr(data-label);color:var(--soft);text-align:left;flex:none;max-width:45%}
        .stack td:first-child{font-weight:600;text-align:right}.stack .stage td:first-child{padding-left:.8rem}}
        details{margin:.6rem 0;padding:0 .2rem}
        summary{cursor:pointer;padding:.6rem .8rem;font-weight:600}
        details .scroll{border:0}
        pre{margin:0;padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);
        border-radius:.6rem;font-size:.85rem}
        @media print{:root{color-scheme:light;--page:#fff;font-size:11px}body{font-size:1rem}main{max-width:none;padding:0}
        h2{break-after:avoid}.card,figure,table,tr,.warn li{break-inside:avoid}.grid{grid-template-columns:1fr 1fr}
        .scroll,.strip{overflow:visible}.sheet{min-width:0}}
        """;

    /// <summary>A whole page.</summary>
    public static string Page(string title, string body) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <title>{Text(title)}</title>
        <style>
        {Css}
        {Svg.Css}
        </style>
        </head>
        <body>
        <main>
        {body}</main>
        </body>
        </html>

        """;

    /// <summary>Text with everything escaped that HTML would take for markup.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(Printable.Text(text));

    /// <summary>A section with a heading; nothing when it has no content.</summary>
    public static string Section(string title, string content) =>
        content.Length == 0 ? "" : $"<section>\n<h2>{Text(title)}</h2>\n{content}</section>\n";

    /// <summary>What must be read before the results; of many sentences only the first are unfolded.</summary>
    public static string Warnings(IReadOnlyList<string> sentences) => Boxes(sentences.Take(Unfolded))
        + (sentences.Count > Unfolded ? Details($"{sentences.Count - Unfolded} more", Boxes(sentences.Skip(Unfolded)), open: false) : "");

    private static string Boxes(IEnumerable<string> sentences) => !sentences.Any() ? ""
        : $"<ul class=\"warn\">\n{string.Concat(sentences.Select(sentence => $"<li>{Text(sentence)}</li>\n"))}</ul>\n";

    /// <summary>
    /// A table in a box that scrolls by itself if it must; on narrow screens the rows of one with many columns become lists.
    /// </summary>
    /// <param name="head">Headings; none for a table without.</param>
    /// <param name="look">CSS class of the table: <c>text</c> for words, nothing for numbers.</param>
    public static string Table(IReadOnlyList<string> head, IEnumerable<(string Look, IReadOnlyList<string> Cells)> rows, string look = "")
    {
        bool stacks = head.Count > Side;
        var html = new StringBuilder($"<div class=\"scroll\"><table{Class(stacks ? $"{look} stack".TrimStart() : look)}>\n");
        if (head.Count > 0)
            html.Append($"<thead><tr>{string.Concat(head.Select(cell => $"<th scope=\"col\">{Text(cell)}</th>"))}</tr></thead>\n");
        html.Append("<tbody>\n");
        foreach (var (rowLook, cells) in rows) html.Append(
            $"<tr{Class(rowLook)}>{string.Concat(cells.Select((cell, i) => Cell(cell, stacks ? head[i] : "")))}</tr>\n");
        return html.Append("</tbody></table></div>\n").ToString();
    }

    private static string Cell(string cell, string label) =>
        $"<td{Class(cell.Length > Longest ? "words" : "")}{(label.Length > 0 ? $" data-label=\"{Text(label)}\"" : "")}>{Text(cell)}</td>";

    /// <summary>A picture with its bytes inside the page, and the names of its columns below them.</summary>
    public static string Picture(RunPicture picture, string caption)
    {
        string names = string.Concat(picture.Columns.Select(
            column => $"<span class=\"{(column.True == column.Predicted ? "good" : "bad")}\">"
            + $"{Text(column.True)} → {Text(column.Predicted)}</span>"));
        string below = names.Length == 0 ? ""
            : $"<div class=\"names\" style=\"grid-template-columns:repeat({picture.Columns.Count},1fr)\">{names}</div>";
        return $"<figure><div class=\"strip\"><div class=\"sheet\"><img alt=\"{Text(caption)}\" "
            + $"src=\"data:{picture.MediaType};base64,{Convert.ToBase64String(picture.Bytes)}\">{below}</div></div>"
            + $"<figcaption>{Text(caption)}</figcaption></figure>\n";
    }

    /// <summary>A box that is open at first and can be folded.</summary>
    public static string Details(string title, string content, bool open) =>
        $"<details{(open ? " open" : "")}><summary>{Text(title)}</summary>\n{content}</details>\n";

    private static string Class(string look) => look.Length == 0 ? "" : $" class=\"{look}\"";
}
