using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>Small pieces of SVG. A chart is an element that scales to its container; colours come
/// from CSS variables (<see cref="Css"/>).</summary>
internal static class Svg
{
    /// <summary>The namespace of every element.</summary>
    public static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    /// <summary>The number of series colours; further series reuse them, dashed.</summary>
    public const int Colours = 8;

    /// <summary>
    /// Style of all charts, for the page or for the file that holds them: light or dark by the reader's preference, in colours that people
    /// with any colour vision can distinguish (Okabe and Ito), lightened for dark pages.
    /// </summary>
    public const string Css = """
        .chart{--c-ink:#1b1b1b;--c-soft:#666;--c-grid:#e2e2e2;--c-back:#fff;--c-1:#0072b2;--c-2:#d55e00;--c-3:#009e73;--c-4:#cc79a7;
        --c-5:#e69f00;--c-6:#56b4e9;--c-7:#7a6a00;--c-8:#555;
        font-family:system-ui,-apple-system,"Segoe UI",sans-serif;width:100%;height:auto;max-width:30rem}
        @media (prefers-color-scheme:dark){.chart{--c-ink:#eee;--c-soft:#aaa;--c-grid:#3a3a3a;--c-back:#181818;--c-1:#4db1ea;--c-2:#ff8f45;
        --c-3:#2fcf9f;--c-4:#eb9fca;--c-5:#ffc14d;--c-6:#8fd0ff;--c-7:#d8c840;--c-8:#bbb}}
        .chart .back{fill:var(--c-back)}.chart text{fill:var(--c-ink)}.chart .soft{fill:var(--c-soft)}
        .chart .grid{stroke:var(--c-grid);stroke-width:1}
        .chart .axis{stroke:var(--c-soft);stroke-width:1}.chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .chart .whisker{stroke:var(--c-ink);stroke-width:1.2}
        .chart .s1{--s:var(--c-1)}.chart .s2{--s:var(--c-2)}.chart .s3{--s:var(--c-3)}.chart .s4{--s:var(--c-4)}.chart .s5{--s:var(--c-5)}
        .chart .s6{--s:var(--c-6)}.chart .s7{--s:var(--c-7)}.chart .s8{--s:var(--c-8)}
        .chart .stroke{stroke:var(--s)}.chart .fill{fill:var(--s)}.chart .clear{fill-opacity:.45}
        """;

    /// <summary>An element of a name with attributes; numbers are written shortly and culture-invariantly.</summary>
    public static XElement Element(string name, params (string Name, object Value)[] attributes) =>
        new(Space + name, attributes.Select(a => new XAttribute(a.Name, Text(a.Value))));

    private static string Text(object value) =>
        value is double number ? Number(number) : Clean(Convert.ToString(value, CultureInfo.InvariantCulture)!);

    /// <summary>Text at a place. <paramref name="anchor"/> is start, middle or end.</summary>
    public static XElement Text(double x, double y, string text, string anchor = "middle", double size = 12, string? look = null,
        double turn = 0)
    {
        var element = Element("text", ("x", x), ("y", y), ("text-anchor", anchor), ("font-size", size));
        if (look is not null) element.SetAttributeValue("class", look);
        if (turn != 0) element.SetAttributeValue("transform", $"rotate({Number(turn)} {Number(x)} {Number(y)})");
        element.Value = Clean(text);
        return element;
    }

    // XML does not allow control characters and lone surrogates, which names in a damaged file may contain.
    private static string Clean(string text) =>
        Printable.Line(text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? string.Concat(text.EnumerateRunes()) : text);

    /// <summary>A straight line.</summary>
    public static XElement Line(double x1, double y1, double x2, double y2, string look) =>
        Element("line", ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2), ("class", look));

    /// <summary>Gives an element the text that appears when the pointer rests on it.</summary>
    public static XElement WithTip(this XElement element, string tip)
    {
        element.AddFirst(new XElement(Space + "title", Clean(tip)));
        return element;
    }

    /// <summary>CSS class that sets a series' colour, by its number from 0.</summary>
    public static string ColourOf(int series) => FormattableString.Invariant($"s{1 + series % Colours}");

    /// <summary>The approximate width of a text; the true width depends on an unknown font, so this is a generous estimate.</summary>
    public static double WidthOf(string text, double size) =>
        text.Sum(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? 0.58 : char.IsWhiteSpace(c) ? 0.32 : 0.7) * size;

    /// <summary>A number with as many digits as a screen shows.</summary>
    public static string Number(double value) =>
        Math.Round(value, 2) is var r && Math.Abs(value) >= 1 ? r.ToString("0.##", CultureInfo.InvariantCulture)
        : value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>A chart as a separate file, with its style inside.</summary>
    public static string Standalone(XElement chart)
    {
        var copy = new XElement(chart);
        copy.AddFirst(new XElement(Space + "style", Css));
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + copy.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    /// <summary>A chart as a piece of an HTML page whose style has <see cref="Css"/>.</summary>
    public static string Inline(XElement chart) => chart.ToString(SaveOptions.DisableFormatting);
}
