namespace Rpat.Tests.Robust.Attacks;

/// <summary>
/// APGD, FAB and Square go the way of PyTorch's double-precision runs (make_golden_attacks.py), step by step, on a convolutional net
/// with strides and batch norms and on dense nets of two to ten classes: as long as PyTorch's own single precision goes it, too. Two
/// of the eight images of a run may part earlier, where another of our roundings tips a comparison: each instruction set has its own.
/// </summary>
public sealed class GoldenWayTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    public static TheoryData<string> Runs =>
        [.. GoldenWay.Arrays.NamesIn("").Where(n => n.EndsWith("/way", StringComparison.Ordinal)).Select(n => n[..^"/way".Length]).Order()];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Every_step_is_the_references(string key)
    {
        string[] parts = key.Split('/');
        GoldenWay net = new(_device, parts[0]);
        Norm norm = Norm.Parse(parts[1]);
        double eps = GoldenWay.Arrays.Number($"{parts[0]}/{parts[1]}/eps");
        Attack attack = AttackOf(net, parts[2], norm, eps) with { Norm = norm };
        var (outcomes, told) = net.Attack(attack);
        int[] until = GoldenWay.Arrays.Integers($"{key}/until");
        bool[] whole = Array.ConvertAll(until, u => u == until.Max());
        Assert.InRange(whole.Count(w => w), until.Length / 2, until.Length);
        string?[] way = Partings(key, "way", told[attack switch { Apgd => "loss", Fab => "gap", _ => "margin" }], until,
            attack is Square ? 1 : 0);
        string?[] end = attack is Apgd ? Ends(key, outcomes, told, whole)
            : attack is Fab ? Partings(key, "norms", told["norm"], until, 0) : way;
        string[] parted = [.. way.Zip(end, (w, e) => w ?? e).OfType<string>()];
        Assert.True(parted.Length <= 2, string.Join("; ", parted));
    }

    /// <summary>
    /// Where each image leaves the way, or null. Entries that the attack did not tell do not exist: FAB tells norms of fooling points, and
    /// Square ends when it has won.
    /// </summary>
    private static string?[] Partings(string key, string array, Dictionary<int, double>[] told, int[] until, int first)
    {
        float[] way = GoldenWay.Arrays.Floats($"{key}/{array}");
        int length = way.Length / until.Length;
        var compared = told.Select((series, i) => series.Where(p => p.Key + first < until[i]).OrderBy(p => p.Key).ToArray()).ToArray();
        Assert.True(compared.Sum(c => c.Length) >= until.Length, "nothing was compared");
        double tolerance = Tolerance(key);
        return [.. compared.Select((series, i) => series
            .Where(p => !(Math.Abs(p.Value - way[i * length + p.Key + first]) <= tolerance))
            .Select(p =>
            $"{array} of image {i} leaves the way at {p.Key + first} of {until[i]}: {p.Value} instead of {way[i * length + p.Key + first]}")
            .FirstOrDefault())];
    }

    /// <summary>What differs in the end of each run of APGD, or null.</summary>
    private static string?[] Ends(string key, AttackOutcome[] outcomes, Dictionary<string, Dictionary<int, double>[]> told, bool[] whole)
    {
        float[] best = GoldenWay.Arrays.Floats($"{key}/best");
        int[] halvings = GoldenWay.Arrays.Integers($"{key}/halvings"); // negative where rounding decides them
        bool[] wrong = GoldenWay.Arrays.Flags($"{key}/wrong");
        return [.. outcomes.Select((o, i) => End(i, o.Fooled, told["best"][i].Values.Last(),
            told.TryGetValue("halved", out var halved) ? halved[i].Count : 0))];

        string? End(int i, bool fooled, double found, int count) =>
            Math.Abs(found - best[i]) > (whole[i] ? 1 : 200) * Tolerance(key) ? $"image {i} ends at {found} instead of {best[i]}"
            : whole[i] && fooled != wrong[i] ? $"image {i} is fooled: {fooled}"
            : whole[i] && halvings[i] >= 0 && halvings[i] != count ? $"image {i} has {count} halvings instead of {halvings[i]}"
            : null;
    }

    /// <summary>Twice what PyTorch's single precision strays: rounding is proportional to the logits,
    /// and DLR divides by their differences.</summary>
    private static double Tolerance(string key) =>
        key.Contains("-dlr") ? 1e-4 : 1e-5 * Math.Max(1, GoldenWay.Arrays.Floats($"{key.Split('/')[0]}/logits").Max(Math.Abs));

    private static Attack AttackOf(GoldenWay net, string kind, Norm norm, double eps)
    {
        if (kind == "square") return new Square
        { Eps = eps, Steps = 1200, Draws = new SquareScript(norm == Norm.Linf, net.Labels.Length, net.Shape).Numbers };
        if (kind.StartsWith("fab", StringComparison.Ordinal))
            return new Fab
            { Eps = 10, Steps = 60, Targets = kind == "fab" ? 0 : 1, Start = kind == "fab-t-start" ? net.StartOf(norm, eps) : null };
        string[] words = kind["apgd-".Length..].Split('-');
        return new Apgd
        {
            Eps = eps,
            Steps = int.Parse(words[^1], CultureInfo.InvariantCulture),
            Start = net.StartOf(norm, eps),
            StopAtSuccess = false,
            Targets = words.Contains("t") ? 1 : 0,
            Loss = words[0] == "ce" ? AttackLoss.CrossEntropy : AttackLoss.Dlr,
        };
    }
}
