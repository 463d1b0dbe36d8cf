using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Rpat.Robust;

/// <summary>A radius with the text that names it, such as <c>8/255</c>.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Value">In pixel units.</param>
public readonly record struct Radius(string Text, double Value);

/// <summary>What an evaluation does; everything that can change its result is in here and in the hashes.</summary>
public sealed record EvaluationPlan
{
    /// <summary>Norm of all attacks.</summary>
    public required Norm Norm { get; init; }

    /// <summary>The radii, ascending.</summary>
    public required IReadOnlyList<Radius> Radii { get; init; }

    /// <summary>The columns at a radius; the same names in the same order at each.</summary>
    public required Func<double, IReadOnlyList<AttackSuite>> SuitesAt { get; init; }

    /// <summary>The columns at the first radius.</summary>
    public IReadOnlyList<AttackSuite> Suites => SuitesAt(Radii[0].Value);

    /// <summary>Seed of all random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Images under attack at a time; no result depends on it.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Number of the first image in its data set, which names its random numbers: a part gives what the whole gives there.</summary>
    public int First { get; init; }

    /// <summary>A step in front of the network that belongs to the defence, or null.</summary>
    public InputTransform? Transform { get; init; }

    /// <summary>Where the network is: its file.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the network's file.</summary>
    public required string ModelHash { get; init; }

    /// <summary>What the images are, for people.</summary>
    public required string Data { get; init; }

    /// <exception cref="ArgumentException">The plan evaluates nothing, or a radius is none.</exception>
    internal void Check()
    {
        if (Radii.Count == 0) throw new ArgumentException("An evaluation needs a radius.");
        foreach (var radius in Radii)
            if (!(radius.Value > 0 && (radius.Value <= 1 || Norm != Norm.Linf)))
                throw new ArgumentException(FormattableString.Invariant($"eps {radius.Text} must lie in (0, 1]: pixels are in [0,1], so 8 of 255 levels are 8/255."));
        if (Suites.Any(s => s.Attacks.Count == 0)) throw new ArgumentException("An evaluation needs attacks in every column.");
        if (Suites.Select(s => s.Name).Distinct().Count() != Suites.Count) throw new ArgumentException("Two columns of an evaluation have the same name: name each attack once.");
    }

    /// <summary>All settings that can change a result, one a line; equal texts give equal ledgers on equal images and networks.</summary>
    public string Describe(string dataHash) => string.Join('\n',
    [
        $"model {ModelHash}", $"data {dataHash}", $"norm {Norm.Name}", $"seed {Seed.ToString(CultureInfo.InvariantCulture)}", $"transform {Transform}",
        .. First == 0 ? Array.Empty<string>() : [FormattableString.Invariant($"first {First}")],
        .. Radii.Select(r => FormattableString.Invariant($"eps {r.Value:R}")),
        .. from r in Radii
           from s in SuitesAt(r.Value)
           from a in s.Attacks
           select $"{s.Name} ({s.Label}) passes={s.SuccessPasses} eps={r.Text}: {a.Name} {a.Settings}",
    ]);
}

/// <summary>The file that says what a folder's evaluation is; it is written first, and a resumed evaluation must agree with it.</summary>
/// <param name="Version">Of the folder's layout.</param>
/// <param name="Model">The network's file.</param>
/// <param name="ModelHash">SHA-256 of the network's file.</param>
/// <param name="Data">For people.</param>
/// <param name="DataHash">SHA-256 of images and labels.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Norm">Name of the norm.</param>
/// <param name="Eps">The radii as written.</param>
/// <param name="EpsValues">The radii.</param>
/// <param name="Suites">Names of the columns.</param>
/// <param name="Labels">What each column ran, in words that cannot be mistaken.</param>
/// <param name="Settings">All settings, one a line.</param>
public sealed record EvaluationManifest(
    int Version, string Model, string ModelHash, string Data, string DataHash, int Images, string Norm,
    IReadOnlyList<string> Eps, IReadOnlyList<double> EpsValues, IReadOnlyList<string> Suites, IReadOnlyList<string> Labels, IReadOnlyList<string> Settings)
{
    /// <summary>Name in the folder.</summary>
    public const string FileName = "manifest.json";

    internal static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static EvaluationManifest Of(EvaluationPlan plan, string dataHash, int images) => new(
        1, plan.Model, plan.ModelHash, plan.Data, dataHash, images, plan.Norm.Name,
        [.. plan.Radii.Select(r => r.Text)], [.. plan.Radii.Select(r => r.Value)], [.. plan.Suites.Select(s => s.Name)],
        [.. plan.Suites.Select(s => s.Label)], plan.Describe(dataHash).Split('\n'));

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
