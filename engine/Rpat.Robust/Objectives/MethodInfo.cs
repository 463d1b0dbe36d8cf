namespace Rpat.Robust;

/// <summary>A method that names itself: the catalog finds every type that implements this, so that a method is one file.</summary>
public interface IMethod
{
    /// <summary>The names under which the type is known, with their settings.</summary>
    static abstract IReadOnlyList<MethodInfo> Methods { get; }
}

/// <summary>A training method by name.</summary>
/// <param name="Name">Name in configurations.</param>
/// <param name="About">What it is, in one line.</param>
/// <param name="Source">Paper, and where its definition is written down.</param>
/// <param name="Blocks">What it is made of.</param>
/// <param name="Make">Makes it from settings and the run's threat model.</param>
public sealed record MethodInfo(string Name, string About, string Source, MethodBlocks Blocks, Func<MethodSettings, PgdOptions, Objective> Make)
{
    /// <summary>What can be set.</summary>
    public IReadOnlyList<MethodParameter> Parameters { get; init; } = [];

    /// <summary>What the recipes of its published rows assume beside these settings.</summary>
    public IReadOnlyList<Assumption> Assumed { get; init; } = [];

    /// <summary>Whether RPAT's perception term can be added (NAME+rpat).</summary>
    public bool TakesRpat { get; init; } = true;

    /// <summary>Whether the loss needs one true class for each image, so that images cannot be mixed (CutMix).</summary>
    public bool NeedsOneClass { get; init; }

    /// <summary>Whether the loss looks at an averaged network of the method's own, in whose place none can be put.</summary>
    public bool LooksAtAverage { get; init; }

    /// <summary>Whether each image comes in two views.</summary>
    public bool TwoViews { get; init; }

    /// <summary>Whether the run must start from given weights, or warm up on clean images.</summary>
    public bool WantsWeights { get; init; }

    /// <summary>Frozen networks that must be given.</summary>
    public IReadOnlyList<string> Teachers { get; init; } = [];
}

/// <summary>A method's row in the table of blocks (methods.md 7.2).</summary>
/// <param name="Attack">Which attack, on which loss.</param>
/// <param name="Terms">Loss terms with their coefficients.</param>
public sealed record MethodBlocks(string Attack, string Terms)
{
    /// <summary>What the logits should become.</summary>
    public string Target { get; init; } = "true class";

    /// <summary>Sample weights.</summary>
    public string Weights { get; init; } = "1";

    /// <summary>Networks beside the trained one.</summary>
    public string Nets { get; init; } = "none";

    /// <summary>What else there is.</summary>
    public string Extra { get; init; } = "none";
}

/// <summary>What a setting takes.</summary>
public enum SettingKind
{
    /// <summary>A real number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>One of a few names.</summary>
    Choice,
}

/// <summary>One setting of a method.</summary>
/// <param name="Name">Key in configurations.</param>
/// <param name="Kind">What it takes.</param>
/// <param name="Default">Its value where nothing is set.</param>
/// <param name="About">What it is.</param>
/// <param name="Source">Where the default is from.</param>
public sealed record MethodParameter(string Name, SettingKind Kind, string Default, string About, string Source)
{
    /// <summary>Smallest number allowed.</summary>
    public double Least { get; init; }

    /// <summary>Largest number allowed.</summary>
    public double Most { get; init; } = double.MaxValue;

    /// <summary>The names that a choice allows.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Whether the default is assumed: the source does not say, or sources disagree (methods.md section 9).</summary>
    public bool Uncertain { get; init; }

    /// <summary>A real number.</summary>
    public static MethodParameter Number(string name, string initial, string about, string source) => new(name, SettingKind.Number, initial, about, source);

    /// <summary>An epoch, counted from 1.</summary>
    public static MethodParameter Epoch(string name, int initial, string about, string source) =>
        new(name, SettingKind.Whole, FormattableString.Invariant($"{initial}"), about + ", counted from 1", source);

    /// <summary>true or false.</summary>
    public static MethodParameter Flag(string name, bool initial, string about, string source) =>
        new(name, SettingKind.Flag, initial ? "true" : "false", about, source);

    /// <summary>One of a few names.</summary>
    public static MethodParameter Choice(string name, string initial, string about, string source, params string[] choices) =>
        new(name, SettingKind.Choice, initial, about, source) { Choices = choices };
}
