using System.IO.Compression;
using System.Text.RegularExpressions;
using Rpat.Formats.Weights;
using Rpat.Models;
using Rpat.Tests.Support;
using Xunit.Abstractions;

namespace Rpat.Tests.Models;

/// <summary>
/// Every entry of RobustBench's leaderboards for CIFAR, ℓ∞ and ℓ2, and every ViT of that for ImageNet, is recognised by the names and
/// shapes of its state, or is listed as one that is not.
/// </summary>
public sealed partial class PublishedNetsTests(ITestOutputHelper output)
{
    private const string ImageNet = "imagenet", Page = "robustbench.md", Begin = "<!-- entries -->\n", End = "<!-- /entries -->\n";

    private static readonly Lazy<IReadOnlyList<Entry>> _entries = new(Read);

    private sealed record Entry(string Data, string Threat, string Name, string Class, string? Model, string Problem)
    {
        public string Kind => Model is null ? "" : Sizes().Replace(Model, match => match.Length == 1 ? "X" : "D-K");
    }

    [Fact]
    public void NineOfTenEntriesAreRecognised()
    {
        foreach (Entry entry in _entries.Value)
            output.WriteLine($"{entry.Data,-9}{entry.Threat,-6}{entry.Name,-45}{entry.Model ?? $"not recognised: {entry.Problem}"}");
        Entry[] cifar = [.. _entries.Value.Where(entry => entry.Data != ImageNet)];
        int recognised = cifar.Count(entry => entry.Model is not null);
        output.WriteLine($"{recognised} of {cifar.Length}");
        Assert.Equal(135, cifar.Length);
        Assert.True(recognised >= 0.9 * cifar.Length, $"{recognised} of {cifar.Length}");
    }

    [Fact]
    public void TheListOfArchitecturesIsTheirs()
    {
        var found = _entries.Value.GroupBy(entry => entry.Kind).Select(kind => (kind.Key, kind.Count()));
        var listed = PublishedNets.All.GroupBy(net => net.Model ?? "").Select(kind => (kind.Key, kind.Sum(net => net.Entries)));
        Assert.Equal(listed.Order(), found.Order());
    }

    /// <summary>RPAT_APPROVE=1 writes the table of the page again.</summary>
    [Fact]
    public void ThePagesTableIsMadeOfThem()
    {
        string path = Repository.File("docs", Page), text = File.ReadAllText(path);
        int from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, to = text.IndexOf(End, StringComparison.Ordinal);
        string table = Table();
        if (Environment.GetEnvironmentVariable("RPAT_APPROVE") == "1") File.WriteAllText(path, text[..from] + table + text[to..]);
        Assert.Equal(table, File.ReadAllText(path)[from..^(text.Length - to)]);
    }

    [Theory]
    [InlineData("Rebuffi2021Fixing_106_16_cutmix_ddpm", "dm-wideresnet106-16")]
    [InlineData("Bartoldson2024Adversarial_WRN-82-8", "dm-wideresnet82-8")]
    [InlineData("Bartoldson2024Adversarial_WRN-94-16", "dm-wideresnet94-16")]
    [InlineData("Jia2022LAS-AT_70_16", "wideresnet70-16")]
    [InlineData("Ding2020MMA", "wideresnet28-4")]
    [InlineData("Peng2023Robust", "ra-wideresnet")]
    [InlineData("Amini2024MeanSparse_S-WRN-94-16", "dm-wideresnet94-16-meansparse")]
    [InlineData("Debenedetti2022Light_XCiT-L12", "xcit-l12")]
    [InlineData("Singh2023Revisiting_ViT-S-ConvStem", "vit-s16-convstem")]
    [InlineData("Singh2023Revisiting_ViT-B-ConvStem", "vit-b16-convstem")]
    [InlineData("Mo2022When_ViT-B", "vit-b16")]
    public void NamesSayTheSizes(string entry, string model) => Assert.Equal(model, _entries.Value.First(e => e.Name == entry).Model);

    private static string Table()
    {
        var text = new StringBuilder("| data | threat | entry | network here |\n|---|---|---|---|\n");
        foreach (Entry e in _entries.Value)
            text.Append(CultureInfo.InvariantCulture,
                $"| {e.Data} | {e.Threat} | {e.Name} | {(e.Model is null ? "–" : $"`{e.Model}`")} |\n");
        return text.ToString();
    }

    private static IReadOnlyList<Entry> Read()
    {
        using var stream = new GZipStream(File.OpenRead(Asset("robustbench-nets.json.gz")), CompressionMode.Decompress);
        using var states = JsonDocument.Parse(stream);
        var known = new Dictionary<string, (string?, string)>();
        return
        [
            .. from line in File.ReadLines(Asset("robustbench-nets.tsv"))
               let cells = line.Split('\t')
               where cells.Length > 2 && cells[0] != "data" && (cells[0] != ImageNet ? cells[1] is "Linf" or "L2"
                   : cells[2].Contains("_ViT", StringComparison.Ordinal))
               let found = Recognised(cells, states.RootElement, known)
               select new Entry(cells[0], cells[1], cells[2], cells[3], found.Model, found.Problem),
        ];
    }

    private static (string? Model, string Problem) Recognised(string[] cells, JsonElement states,
        Dictionary<string, (string? Model, string Problem)> known)
    {
        string digest = cells.Length > 5 ? cells[5] : "";
        if (XcitOf(cells) is { } xcit) return Recognised(cells[2], xcit);
        if (!states.TryGetProperty(digest, out var state)) return (null, "its names are not known");
        return known.TryGetValue(digest, out var found) ? found : known[digest] = Recognised(cells[2], [.. state.GetProperty("state")
            .EnumerateArray().Select(pair => new WeightEntry(pair[0].GetString()!, ElementType.F32,
                [.. pair[1].EnumerateArray().Select(size => size.GetInt64())]))]);
    }

    private static (string?, string) Recognised(string entry, IReadOnlyList<WeightEntry> state)
    {
        try
        {
            using var file = new NamesOnly(state);
            return (NetworkFile.Find(file, entry + ".pt", new WeightChoice(null, null, [], [], Strict: true)).Found.Spec.Name, "");
        }
        catch (UsageException error)
        {
            return (null, error.Message);
        }
    }

    // These could not be built without a download: the names of a narrow network of the same class, with the published sizes.
    private static WeightEntry[]? XcitOf(string[] cells)
    {
        if (Xcit().Match(cells[2]) is not { Success: true } match) return null;
        var (width, heads) = match.Groups[1].Value switch { "S" => (384, 8), "M" => (512, 8), _ => (768, 16) };
        var small = File.ReadLines(Asset("xcit-names.txt")).Select(line => line.Split(' '))
            .Select(parts => (Name: parts[0], Sizes: parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)));
        return
        [
            .. from tensor in small
               from block in tensor.Name.StartsWith("model.blocks.0.", StringComparison.Ordinal) ? Enumerable.Range(0, 12) : [0]
               where !tensor.Name.StartsWith("model.blocks.1.", StringComparison.Ordinal)
               select new WeightEntry(tensor.Name.Replace("model.blocks.0.", $"model.blocks.{block}."), ElementType.F32,
                   [.. tensor.Sizes.Select(size => Scaled(tensor.Name, size))]),
        ];

        long Scaled(string name, long size) => name.EndsWith("temperature", StringComparison.Ordinal) ? (size == 1 ? 1 : heads)
            : name.StartsWith("model.head", StringComparison.Ordinal) && size == 10 ? (cells[0] == "cifar100" ? 100 : 10)
            : size switch { 6 => width / 8, 12 => width / 4, 24 => width / 2, 48 => width, 144 => 3 * width, 192 => 4 * width, _ => size };
    }

    private static string Asset(string name) => Repository.File("tests", "Rpat.Tests", "Golden", "models", name);

    [GeneratedRegex(@"(?<=wideresnet)[0-9]+-[0-9]+|(?<=xcit-)[sml](?=12)|(?<=vit-)[sb](?=16)")]
    private static partial Regex Sizes();

    [GeneratedRegex(@"_XCiT-([SML])12$")]
    private static partial Regex Xcit();

    /// <summary>A file of which only names and shapes are known; every value is 1.</summary>
    private sealed class NamesOnly(IReadOnlyList<WeightEntry> tensors) : WeightFile("names", "names")
    {
        public override IReadOnlyList<WeightEntry> Tensors => tensors;

        public override NamedArray Load(string name)
        {
            long[] shape = tensors.Single(tensor => tensor.Name == name).Shape;
            return NamedArray.FromFloats(name, [.. Enumerable.Repeat(1f, (int)shape.Aggregate(1L, (a, b) => a * b))], shape);
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
