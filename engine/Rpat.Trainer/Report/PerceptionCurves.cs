using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>How a network's logits move from clean to adversarial images, as <c>rpat perception</c> measured it.</summary>
/// <param name="Groups">Name, share of the whole way and normalised residual of each group of images, point by point.</param>
internal sealed record PerceptionCurves(string Title,
    IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Way, IReadOnlyList<(double X, double Y)> Residual)> Groups)
{
    private const int MostGroups = 3, MostBytes = 64 << 20;

    /// <summary>Reads <c>perception/perception.json</c> of a run folder; nothing if it was not measured.</summary>
    public static IReadOnlyList<PerceptionCurves> Read(string folder)
    {
        try
        {
            if (RunContents.Find(folder, "perception/perception.json") is not { } path) return [];
            using var json = JsonDocument.Parse(RegularFile.ReadBytes(path, MostBytes));
            var all = json.RootElement.EnumerateArray().ToList();
            bool several = all.Select(Model).Distinct().Count() > 1;
            return [.. all.Select(one => Read(one, several ? $", {Model(one)}" : ""))];
        }
        catch (Exception error) when (error is IOException or FormatException or JsonException or KeyNotFoundException
        or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>The two charts: the distance against the diagonal of robust perception, and the residual.</summary>
    public IEnumerable<XElement> Charts()
    {
        LineSeries[] ways = [.. Groups.Select(g => new LineSeries(g.Name, g.Way)),
            new LineSeries("robust perception", [(0, 0), (1, 1)], Dashed: true)];
        yield return SvgLineChart.Draw(
            new ChartText($"Distance of the logits from clean, {Title}", "alpha", "share of the whole way"), ways);
        yield return SvgLineChart.Draw(
            new ChartText($"Residual of the logits, {Title}", "alpha", "share of the whole way"),
            [.. Groups.Select(g => new LineSeries(g.Name, g.Residual))]);
    }

    private static string Model(JsonElement run) => run.TryGetProperty("model", out var model) ? $"{model}" : "";

    private static PerceptionCurves Read(JsonElement run, string of)
    {
        double[] alphas = Numbers(run.GetProperty("alphas"));
        JsonElement logits = run.GetProperty("spaces").EnumerateArray().First();
        // A group without images keeps its place, and so the others their colours.
        var groups = from one in logits.GetProperty("groups").EnumerateArray().Take(MostGroups)
                     let has = one.GetProperty("images").GetInt32() > 0
                     let name = one.GetProperty("group").GetString()!
                     orderby name == "all"
                     select (name, has ? Points(alphas, one.GetProperty("curve")) : [], has ? Points(alphas, one.GetProperty("rho")) : []);
        return new(AttackTitle.Of(run.GetProperty("perturbation").GetProperty("name").GetString()!) + of, [.. groups]);
    }

    private static IReadOnlyList<(double, double)> Points(double[] alphas, JsonElement values) => [.. alphas.Zip(Numbers(values))];

    // Values that are not finite are stored as text.
    private static double[] Numbers(JsonElement values) =>
        [.. values.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN)];
}
