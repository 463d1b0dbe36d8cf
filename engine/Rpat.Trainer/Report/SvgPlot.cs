using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>The words around a chart.</summary>
/// <param name="Width">Width in the units in which letters are 12 high: so narrow that a phone shows them 10 pixels high.</param>
internal sealed record ChartText(string Title, string X, string Y, double Width = 380);

/// <summary>
/// The frame that all charts share: title, axes with ticks and grid, and a wrapped legend below, so that it covers nothing. The left margin
/// follows the labels' widths, the height follows the legend.
/// </summary>
internal sealed class SvgPlot
{
    private const double PlotHeight = 240, TextSize = 12, TitleSize = 15, Top = 40, RightMargin = 20, Swatch = 18, Gap = 18, Row = 20,
        Turn = 35;

    // Far enough below the axis that the first label does not touch the lowest one of the vertical axis.
    private const double Beneath = 20;

    private readonly XElement _root;
    private readonly Axis _y;
    private readonly double _width;
    private double _bottom;

    /// <summary>Makes the frame with its vertical axis.</summary>
    public SvgPlot(ChartText text, Axis y)
    {
        (_y, _width) = (y, text.Width);
        Left = 34 + y.Ticks.Max(t => Svg.WidthOf(y.Label(t), TextSize));
        _root = Svg.Element("svg", ("class", "chart"), ("role", "img"), ("aria-label", text.Title));
        _root.Add(Svg.Element("rect", ("class", "back"), ("width", "100%"), ("height", "100%")));
        double room = (_width - 8) / Svg.WidthOf(text.Title, 1); // a long title is set smaller
        _root.Add(Svg.Text(_width / 2, 22, text.Title, size: Math.Min(TitleSize, room)));
        if (text.Y.Length > 0) _root.Add(Svg.Text(14, Top + PlotHeight / 2, text.Y, look: "soft", turn: -90));
        foreach (double tick in y.Ticks) YTick(tick);
        _bottom = Top + PlotHeight;
    }

    /// <summary>Left edge of the plotting area.</summary>
    public double Left { get; }

    /// <summary>Width of the plotting area.</summary>
    public double InnerWidth => _width - RightMargin - Left;

    /// <summary>Vertical place of a value.</summary>
    public double Y(double value) => Top + PlotHeight * (1 - _y.Place(value));

    /// <summary>Lower edge of the plotting area.</summary>
    public double Floor => Top + PlotHeight;

    /// <summary>Adds a drawing.</summary>
    public void Add(XElement element) => _root.Add(element);

    /// <summary>A horizontal axis of numbers. Returns the place of a value.</summary>
    public Func<double, double> XAxis(Axis x, string title)
    {
        double Place(double value) => Left + InnerWidth * x.Place(value);
        double previous = double.NegativeInfinity;
        foreach (double tick in x.Ticks)
        {
            double place = Place(tick), half = Svg.WidthOf(x.Label(tick), TextSize) / 2;
            _root.Add(Svg.Line(place, Top, place, Floor, "grid"));
            double middle = Math.Min(place, _width - half - 2); // the last label stays in the picture
            if (middle - half < previous) continue; // a label that would touch the one before it is left out
            _root.Add(Svg.Text(middle, Floor + Beneath, x.Label(tick), look: "soft"));
            previous = middle + half + 4;
        }
        Base(Floor + Beneath, title);
        return Place;
    }

    /// <summary>
    /// A horizontal axis of groups, each with its name below its centre. Names that do not fit are rotated; if one would leave the picture,
    /// numbers take their place, and the names follow below.
    /// </summary>
    public double XGroups(IReadOnlyList<string> names, string title)
    {
        double width = InnerWidth / names.Count, widest = names.Max(n => Svg.WidthOf(n, TextSize));
        bool wide = widest > width - 4, numbered = wide && names.Where((name, i) => Leaves(name, Left + width * (i + 0.5))).Any(),
            turned = wide && !numbered;
        // Numbers that would touch the one before are left out.
        int every = numbered ? Math.Max(1, (int)Math.Ceiling((Svg.WidthOf($"{names.Count}", TextSize) + 4) / width)) : 1;
        for (int i = 0; i < names.Count; i += every)
        {
            double middle = Left + width * (i + 0.5);
            _root.Add(turned ? Svg.Text(middle, Floor + 14, names[i], "end", look: "soft", turn: -Turn)
                : Svg.Text(middle, Floor + Beneath, numbered ? $"{i + 1}" : names[i], look: "soft"));
        }
        Base(Floor + (turned ? 14 + 0.58 * widest : Beneath), title);
        for (int i = 0; numbered && i < names.Count; i++) Below($"{i + 1}  {names[i]}");
        return width;
    }

    /// <summary>Adds the legend and returns the finished chart.</summary>
    /// <param name="entries">
    /// Name and CSS class of each series that has values, and whether its line is dashed; a single one needs no legend.
    /// </param>
    public XElement Finish(IReadOnlyList<(string Name, string Look, bool Dashed)> entries)
    {
        double y = _bottom + 12;
        if (entries.Count > 1) y = Legend(entries, y);
        _root.SetAttributeValue("viewBox", FormattableString.Invariant($"0 0 {_width:0} {Math.Ceiling(y):0}"));
        return _root;
    }

    // A turned name begins to the left of its group.
    private static bool Leaves(string name, double middle) =>
        Svg.WidthOf(name, TextSize) > middle / Math.Cos(Turn * Math.PI / 180) - TextSize;

    // A long name is set smaller.
    private void Below(string name) => _root.Add(Svg.Text(Left, _bottom += Row, name, "start",
        Math.Min(TextSize, InnerWidth / Svg.WidthOf(name, 1)), look: "soft"));

    private void YTick(double tick)
    {
        _root.Add(Svg.Line(Left, Y(tick), _width - RightMargin, Y(tick), "grid"));
        _root.Add(Svg.Text(Left - 6, Y(tick) + 4, _y.Label(tick), "end", look: "soft"));
    }

    private void Base(double bottom, string title)
    {
        _root.Add(Svg.Line(Left, Floor, _width - RightMargin, Floor, "axis"));
        _root.Add(Svg.Line(Left, Top, Left, Floor, "axis"));
        if (title.Length > 0) _root.Add(Svg.Text(Left + InnerWidth / 2, bottom + 20, title, look: "soft"));
        _bottom = bottom + (title.Length > 0 ? 20 : 0);
    }

    private double Legend(IReadOnlyList<(string Name, string Look, bool Dashed)> entries, double y)
    {
        double x = Left;
        y += Row - 6;
        foreach (var (name, look, dashed) in entries)
        {
            double need = Swatch + 6 + Svg.WidthOf(name, TextSize);
            if (x > Left && x + need > _width - RightMargin) (x, y) = (Left, y + Row);
            var swatch = dashed
                ? Svg.Line(x, y - 4, x + Swatch, y - 4, $"line stroke {look}")
                : Svg.Element("rect", ("x", x), ("y", y - 9), ("width", Swatch), ("height", 10.0), ("rx", 2.0), ("class", $"fill {look}"));
            if (dashed) swatch.SetAttributeValue("stroke-dasharray", "5 4");
            _root.Add(swatch);
            double room = _width - x - Swatch - 10;
            _root.Add(Svg.Text(x + Swatch + 6, y, name, "start", Math.Min(TextSize, room / Svg.WidthOf(name, 1))));
            x += need + Gap;
        }
        return y + 12;
    }
}
