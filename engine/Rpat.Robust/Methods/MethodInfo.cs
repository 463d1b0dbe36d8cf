using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>A training method by name: a base, its modifiers, and the settings that these declare.</summary>
public sealed class MethodInfo : INamed
{
    private readonly Func<PgdOptions, Objective> _base;
    private readonly Func<IReadOnlyList<Modifier>> _modifiers;
    private readonly IReadOnlyList<Owned> _settings;
    private readonly Objective _prototype;

    /// <summary>A base and its modifiers under a new name.</summary>
    /// <param name="row">The name and description.</param>
    /// <param name="make">Makes the base with its defaults from the run's threat model.</param>
    /// <param name="modifiers">Makes the modifiers with their defaults.</param>
    /// <param name="notes">Settings whose default comes from another source.</param>
    /// <exception cref="ArgumentException">Two settings have one name, or the name is that of RPAT on top of another method.</exception>
    public MethodInfo(
        MethodAttribute row, Func<PgdOptions, Objective> make, Func<IReadOnlyList<Modifier>> modifiers, params NoteAttribute[] notes)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(make);
        ArgumentNullException.ThrowIfNull(modifiers);
        (Row, _base, _modifiers) = (row, make, modifiers);
        object[] parts = Parts(PgdOptions.Linf);
        Setting Noted(Setting setting) => notes.Aggregate(setting, (noted, note) => note.On(noted));
        _settings = [.. parts.SelectMany((part, i) => Setting.Of(part).Select(setting => new Owned(Noted(setting), i)))];
        if (row.Name.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal))
            throw new ArgumentException($"a method is called '{row.Name}', which means RPAT on top of another: give it another name.");
        if (Settings.GroupBy(setting => setting.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"method {row.Name} has two settings '{twice.Key}': rename one by [Setting(…, Name = \"…\")].");
        _prototype = Assemble(parts);
        Assumed = ContractException.Given(_prototype, _prototype.Assumed);
        _ = Teachers; // as a wrong one is found here, and not in a list of methods
    }

    /// <summary>The method's description.</summary>
    public MethodAttribute Row { get; }

    /// <summary>Name in configurations.</summary>
    public string Name => Row.Name;

    /// <summary>What it is, in one line.</summary>
    public string About => Row.About;

    /// <summary>Paper, and where its definition is documented.</summary>
    public string Source => Row.Source;

    /// <summary>Its settings.</summary>
    public IReadOnlyList<Setting> Settings => [.. _settings.Select(owned => owned.Setting)];

    /// <summary>What the recipes of its published rows assume in addition to these settings.</summary>
    public IReadOnlyList<Assumption> Assumed { get; init; }

    /// <summary>Whether RPAT's perception term can be added (NAME+rpat).</summary>
    public bool TakesRpat => _prototype.TakesRpat;

    /// <summary>Whether the loss needs one true class per image, so that images cannot be mixed (CutMix).</summary>
    public bool NeedsOneClass => _prototype.NeedsOneClass;

    /// <summary>Whether the loss uses the method's own averaged network, which cannot be replaced by another.</summary>
    public bool LooksAtAverage => _prototype.LooksAtAverage;

    /// <summary>Whether each image comes in two views.</summary>
    public bool TwoViews => _prototype.TwoViews;

    /// <summary>Whether the run must start from given weights, or warm up on clean images.</summary>
    public bool WantsWeights => _prototype.WantsWeights;

    /// <summary>Frozen networks that must be given.</summary>
    public IReadOnlyList<string> Teachers => _prototype.AllTeachers;

    /// <summary>Makes the method.</summary>
    /// <param name="given">Settings by name; an empty text is the default.</param>
    /// <param name="pgd">Threat model and attack of the run.</param>
    /// <exception cref="ArgumentException">The method has no such setting, or a value is invalid; the message says what to do.</exception>
    public Objective Make(IReadOnlyDictionary<string, string> given, PgdOptions pgd)
    {
        object[] parts = Parts(pgd);
        foreach (var (name, text) in given) Set(parts, name, text);
        return Assemble(parts);
    }

    private object[] Parts(PgdOptions pgd)
    {
        object[] parts = [_base(pgd), .. _modifiers() ?? [null!]];
        return Array.IndexOf(parts, null) < 0 ? parts : throw new ArgumentException($"method '{Name}' is made of null: give "
            + $"{(parts[0] is null ? "an Objective as its base" : "a list of modifiers, which may be empty")}.");
    }

    private Objective Assemble(object[] parts) => ((Objective)parts[0]).With(parts.Skip(1).Cast<Modifier>()) with { Row = Name };

    private void Set(object[] parts, string name, string text)
    {
        var owned = _settings.FirstOrDefault(s => s.Setting.Name == name) ?? throw new ArgumentException(Unknown(name));
        if (text.Length == 0) return;
        try
        {
            owned.Setting.Set(parts[owned.Part], text);
        }
        catch (FormatException error)
        {
            throw new ArgumentException($"setting '{name}' of method {Name} is '{text}': {error.Message}.", error);
        }
    }

    private string Unknown(string name)
    {
        string known = _settings.Count == 0 ? "it has none of its own"
            : $"its settings are {string.Join(", ", Settings.Select(s => s.Name))}";
        return $"method {Name} has no setting '{name}': {known}.";
    }

    private sealed record Owned(Setting Setting, int Part);
}
