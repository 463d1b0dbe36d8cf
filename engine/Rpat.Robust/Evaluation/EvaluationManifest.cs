using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Rpat.Robust.Evaluation;

/// <summary>An attack of a column.</summary>
/// <param name="Settings">Every setting that changes a result.</param>
/// <param name="Parts">The parts run on each image that stays correct, in order.</param>
public sealed record StagePlan(string Attack, string Settings, IReadOnlyList<AttackPart> Parts);

/// <summary>A column at one radius.</summary>
/// <param name="Label">An unambiguous description of what it runs.</param>
/// <param name="Passes">Passes of which more than half must misclassify the image for the attack to succeed.</param>
/// <param name="Stages">Its attacks, in order.</param>
public sealed record ColumnPlan(int Eps, string Suite, string Label, int Passes, IReadOnlyList<StagePlan> Stages)
{
    internal static ColumnPlan Of(AttackSuite suite, int eps, int classes) => new(
        eps, suite.Name, suite.Label, suite.SuccessPasses,
        [.. suite.Attacks.Select(a => new StagePlan(a.Name, a.AllSettings, a.PartsTried(classes)))]);
}

/// <summary>The file that describes a folder's evaluation; it is written first, and a resumed evaluation must agree with it.</summary>
/// <param name="ModelHash">SHA-256 of the network's file.</param>
/// <param name="DataHash">SHA-256 of images and labels.</param>
/// <param name="Labels">An unambiguous description of what each column ran.</param>
/// <param name="Settings">All settings, one per line: <see cref="Describe"/>.</param>
public sealed record EvaluationManifest(
    int Version, string Model, string ModelHash, string Data, string DataHash, int Images, string Norm,
    IReadOnlyList<string> Eps, IReadOnlyList<double> EpsValues, IReadOnlyList<string> Suites, IReadOnlyList<string> Labels,
    IReadOnlyList<string> Settings)
{
    /// <summary>Name in the folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The layout that this program writes; layout 1 had no digest and did not list the parts of its attacks.</summary>
    public const int Layout = 2;

    internal static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>Classes of the network.</summary>
    public int Classes { get; init; }

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of the first image in its data set.</summary>
    public int First { get; init; }

    /// <summary>The step before the network that belongs to the defence, or an empty text.</summary>
    public string Transform { get; init; } = "";

    /// <summary>What was given about the network's file in addition to its path.</summary>
    public IReadOnlyDictionary<string, string> Network { get; init; } = new Dictionary<string, string>();

    /// <summary>The network's name, where it is known.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>What is run, by radius and then by column.</summary>
    public IReadOnlyList<ColumnPlan> Columns { get; init; } = [];

    internal static EvaluationManifest Of(EvaluationPlan plan, string dataHash, int images, int classes)
    {
        var manifest = new EvaluationManifest(
            Layout, plan.Model, plan.ModelHash, plan.Data, dataHash, images, plan.Norm.Name,
            [.. plan.Radii.Select(r => r.Text)], [.. plan.Radii.Select(r => r.Value)],
            [.. plan.Suites.Select(s => s.Name)], [.. plan.Suites.Select(s => s.Label)], [])
        {
            Classes = classes,
            Seed = plan.Seed,
            First = plan.First,
            Transform = $"{plan.Transform}",
            Network = plan.Network,
            Architecture = plan.Architecture,
            Columns = [.. plan.Radii.SelectMany((r, eps) => plan.SuitesAt(r.Value).Select(s => ColumnPlan.Of(s, eps, classes)))],
        };
        return manifest with { Settings = [.. manifest.Describe()] };
    }

    /// <summary>All settings that can change a result; equal texts give equal ledgers on equal images and networks.</summary>
    public IEnumerable<string> Describe() =>
    [
        $"model {ModelHash}", $"data {DataHash}", $"norm {Norm}", FormattableString.Invariant($"seed {Seed}"), $"transform {Transform}",
        .. First == 0 ? Array.Empty<string>() : [FormattableString.Invariant($"first {First}")],
        .. Network.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"network {pair.Key}={pair.Value}"),
        .. EpsValues.Select(eps => FormattableString.Invariant($"eps {eps:R}")),
        .. from c in Columns
           from s in c.Stages
           select $"{c.Suite} ({c.Label}) passes={c.Passes} eps={Eps[c.Eps]}: {s.Attack} {s.Settings}",
    ];

    /// <summary>Reads the manifest of a folder.</summary>
    /// <exception cref="DataException">There is none, or it is damaged or of a later layout.</exception>
    internal static EvaluationManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new DataException($"'{folder}' has no {FileName}: give the folder of an evaluation.");
        try
        {
            var manifest = JsonSerializer.Deserialize<EvaluationManifest>(EvaluationFiles.Text(path), Format)
                ?? throw new JsonException("it is empty");
            return manifest.Version is >= 1 and <= Layout ? manifest : throw new DataException(
                $"'{path}' is of layout {manifest.Version}, and this program knows 1 to {Layout}: use the program that made it.");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new DataException($"'{path}' is damaged: run the evaluation again.", error);
        }
    }

    internal string ToJson() => JsonSerializer.Serialize(this, Format) + "\n";

    /// <summary>SHA-256 of bytes, in lower-case hexadecimal.</summary>
    public static string HashOf(params ReadOnlySpan<byte[]> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] part in parts) hash.AppendData(part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Short hash of a text, for folder names.</summary>
    public static string ShortHash(string text) => HashOf(Encoding.UTF8.GetBytes(text))[..8];
}
