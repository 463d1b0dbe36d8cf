using System.Text.RegularExpressions;

namespace Rpat.Robust.Attacks;

/// <summary>An attack that can be selected by name.</summary>
/// <param name="Name">The name; N stands for a number of steps.</param>
public sealed record AttackInfo(string Name, string Norms, string Defaults, string Source) : INamed
{
    /// <summary>Makes an attack declared by another assembly, with its defaults; null for the library's own.</summary>
    internal Func<Attack>? Make { get; init; }
}

/// <summary>
/// Gives an attack of another assembly its name: <see cref="Catalog.Register"/> finds every <see cref="Attack"/> that has one.
/// </summary>
/// <param name="name">Name in options and ledgers.</param>
/// <param name="norms">Supported norms, separated by spaces: <c>linf</c>, <c>l2</c>, <c>l1</c>.</param>
/// <param name="defaults">Its settings in words.</param>
public sealed class AttackAttribute(string name, string norms, string defaults, string source) : DeclarationAttribute
{
    /// <summary>Name in options and ledgers.</summary>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public override Catalog Catalog => AttackCatalog.Catalog;

    /// <inheritdoc/>
    public override IEnumerable<INamed> Items(Type type)
    {
        var make = Maker<Attack>(type) ?? throw new ArgumentException(
            $"{type} is declared as attack '{Name}': derive it from {nameof(Attack)}, with a public constructor without parameters.");
        if (norms.Split(' ').FirstOrDefault(one => Norm.All.All(norm => norm.Name != one)) is { } unknown)
            throw new ArgumentException($"{type} is declared for the norm '{unknown}': give some of "
                + $"{string.Join(", ", Norm.All.Select(norm => norm.Name))}, separated by spaces.");
        var first = make([]);
        _ = ContractException.Given(first, first.Settings);
        return [new AttackInfo(Name, norms, defaults, source) { Make = () => make([]) }];
    }
}

/// <summary>Every attack by name, with its defaults and their source.</summary>
public static partial class AttackCatalog
{
    private const string PgdStep = "step eps/4 (linf: 2/255 at 8/255) or 15/128 eps (l2, l1)";

    /// <summary>Where <see cref="Catalog.Register"/> adds attacks.</summary>
    internal static Catalog<AttackInfo> Catalog { get; } = new("an attack",
    [
        new("clean", "-", "no attack", "-"),
        new("fgsm", "linf", "one step of eps", "Goodfellow et al., ICLR'15"),
        new("fgm", "l2", "one step of eps", "Goodfellow et al., ICLR'15"),
        new("r+fgsm", "linf", "random sign step of eps/2, then one step of eps/2",
            "Tramer et al., ICLR'18 (torchattacks' RFGSM is another attack)"),
        new("ffgsm", "linf", "uniform start, one step of 1.25 eps", "Wong et al., ICLR'20"),
        new("bimN", "linf l2 l1", $"N steps from the image; {PgdStep}; last iterate", "Kurakin et al., 2017"),
        new("pgdN", "linf l2 l1", $"N steps, random start; {PgdStep}; last iterate",
            "Madry et al., ICLR'18; settings of RPAT and torchattacks"),
        new("mi-fgsm", "linf", "10 steps of eps/4, decay 1", "Dong et al., CVPR'18; torchattacks"),
        new("cw, cwN", "linf l2 l1", $"PGD on the margin, 20 (N) steps, random start; {PgdStep}; any misclassified iterate",
            "Carlini and Wagner, S&P'17, as adversarial-training papers use it"),
        new("cw-l2", "l2", "9 searches for c from 1e-3, 10000 iterations of Adam 0.01; counts within eps",
            "Carlini and Wagner, S&P'17; Foolbox"),
        new("deepfool", "linf l2", "50 steps, overshoot 0.02, 10 candidates; counts within eps",
            "Moosavi-Dezfooli et al., CVPR'16; Foolbox"),
        new("apgd-ce", "linf l2 l1", "100 steps, momentum 0.75, rho 0.75, first step 2 eps; l1: sparse steps, first step eps",
            "Croce and Hein, ICML'20"),
        new("apgd-dlr", "linf l2 l1", "as apgd-ce on the difference of logits ratio", "Croce and Hein, ICML'20"),
        new("apgd-t", "linf l2 l1", "as apgd-dlr for 9 targets", "Croce and Hein, ICML'20"),
        new("fab", "linf l2 l1", "100 steps, alpha 0.1, eta 1.05, beta 0.9; counts within eps", "Croce and Hein, ICML'20"),
        new("fab-t", "linf l2 l1", "as fab for 9 targets", "Croce and Hein, ICML'20"),
        new("square", "linf l2 l1", "5000 queries, p 0.8, margin loss, no gradients", "Andriushchenko et al., ECCV'20"),
        new("aa", "linf l2 l1",
            "apgd-ce, apgd-t, fab-t, square; labelled as adapted below 10 classes; l1: apgd-ce x5 and 5 targets in balls of 3, 2, 1 eps",
            "AutoAttack standard, Croce and Hein, ICML'20"),
        new("aa-plus", "linf l2 l1", "apgd-ce x5, apgd-dlr x5, fab x5, square, apgd-t, fab-t", "AutoAttack plus"),
        new("aa-rand", "linf l2 l1", "apgd-ce and apgd-dlr on means of 20 gradients, all iterations; one pass over the image found decides",
            "AutoAttack rand, for random models"),
    ], Knows);

    /// <summary>All names.</summary>
    public static IReadOnlyList<AttackInfo> All => Catalog.All;

    /// <summary>The names as papers and other code spell them.</summary>
    public static KnownNames Spellings { get; } = new("attacks", () => Examples)
    {
        Knows = Knows,
        Short = new Dictionary<string, string>
        {
            ["autoattack"] = "aa",
            ["autoattackstandard"] = "aa",
            ["aastandard"] = "aa",
            ["autoattackplus"] = "aa-plus",
            ["autoattack+"] = "aa-plus",
            ["aa+"] = "aa-plus",
            ["autoattackrand"] = "aa-rand",
        },
    };

    /// <summary>The column of that name, or an error that names the nearest.</summary>
    /// <exception cref="ArgumentException">There is no such attack, or it does not support the norm.</exception>
    /// <inheritdoc cref="Find"/>
    public static AttackSuite Make(string name, Norm norm, double eps, int classes, double? step = null) =>
        Find(name, norm, eps, classes, step) ?? throw new ArgumentException(Knows(Spellings.Canonical(name))
            ? "'clean' is the accuracy without an attack, which new Evaluator(net).Run(images) counts: name an attack."
            : $"There is no attack '{name}': {Spellings.Hint(name)}");

    /// <summary>The column of that name.</summary>
    /// <param name="name">A name of <see cref="All"/>, with a number for N, as <see cref="Spellings"/> understands it.</param>
    /// <param name="eps">The radius; default step lengths are fractions of it.</param>
    /// <param name="step">Length of PGD's steps instead of the default, or null.</param>
    /// <returns>Null when there is no such attack.</returns>
    /// <exception cref="ArgumentException">The attack does not support the norm.</exception>
    public static AttackSuite? Find(string name, Norm norm, double eps, int classes, double? step = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(norm);
        name = Spellings.Canonical(name);
        if (AutoAttack.Find(name, norm, eps, classes) is { } suite) return suite;
        if (Single(name, norm, eps, step) is not { } attack) return null;
        RequireNorm(name, norm);
        return AttackSuite.Of(name, attack with { Norm = norm, Eps = eps });
    }

    /// <exception cref="ArgumentException">The attack is declared for other norms.</exception>
    internal static void RequireNorm(string name, Norm norm)
    {
        if (Catalog.Find(name) is { } info && !info.Norms.Split(' ').Contains(norm.Name))
            throw new ArgumentException($"Attack '{name}' does not know the norm {norm.Name}: see 'rpat attacks'.");
    }

    /// <summary>Whether a column of that name exists, for whatever norm.</summary>
    public static bool Knows(string name) =>
        name == "clean" || AutoAttack.Find(name, Norm.Linf, 0.1, 10) is not null || Single(name, Norm.Linf, 0.1, null) is not null;

    /// <summary>An attack's name, plus its settings if they differ from the catalog's; PGD's step length does not count.</summary>
    internal static string LabelOf(Attack attack) => IsAsNamed(attack) ? attack.Name : $"{attack.Name} ({attack.AllSettings})";

    private static bool IsAsNamed(Attack attack) => Single(attack.Name, attack.Norm, attack.Eps, StepOf(attack.Settings)) is not { } named
        || attack.AllSettings == (named with { Norm = attack.Norm, Eps = attack.Eps }).AllSettings;

    /// <summary>
    /// The column that a label stands for, with PGD's step length from its settings; null when the label is not from the catalog.
    /// </summary>
    /// <exception cref="ArgumentException">The label is AutoAttack's, but no version has it, or the
    /// attack does not support the norm.</exception>
    internal static AttackSuite? Promised(string label, string settings, Norm norm, double eps, int classes)
    {
        if (AutoAttack.Labelled(label, norm, eps, classes) is { } suite) return suite;
        if (label.StartsWith("aa-", StringComparison.Ordinal))
            throw new ArgumentException($"no version of AutoAttack on {classes} classes has the label '{label}'");
        return Knows(label) && label != "clean" ? Find(label, norm, eps, classes, StepOf(settings)) : null;
    }

    private static double? StepOf(string settings) =>
        Step().Match(settings) is { Success: true } match
        && double.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out double step) && step > 0 ? step : null;

    /// <summary>The names as a user may write them, for messages.</summary>
    public static IReadOnlyList<string> Examples =>
        [.. _own, .. All.Where(attack => attack.Make is not null).Select(attack => attack.Name)];

    private static readonly string[] _own =
    [
        "clean", "fgsm", "fgm", "r+fgsm", "ffgsm", "bim10", "pgd20", "pgd100", "mi-fgsm", "cw", "cw-l2", "deepfool",
        "apgd-ce", "apgd-dlr", "apgd-t", "fab", "fab-t", "square", "aa", "aa-plus", "aa-rand",
    ];

    private static Attack? Single(string name, Norm norm, double eps, double? step)
    {
        double length = step ?? norm.StepOf(eps);
        if (Numbered().Match(name) is { Success: true } match)
        {
            int steps = match.Groups[2].Length == 0 ? 20 : int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
            return match.Groups[1].Value switch
            {
                "cw" => PgdAttack.CwLinf with { Title = name, Steps = steps, StepSize = length },
                "bim" when match.Groups[2].Length > 0 => PgdAttack.Bim with { Title = name, Steps = steps, StepSize = length },
                "pgd" when match.Groups[2].Length > 0 => new PgdAttack { Title = name, Steps = steps, StepSize = length },
                _ => null,
            };
        }
        return name switch
        {
            "fgsm" or "fgm" => new Fgsm(),
            "r+fgsm" => new RandomFgsm(),
            "ffgsm" => new FastFgsm { StepSize = 1.25 * eps },
            "mi-fgsm" => new MiFgsm { StepSize = length },
            "cw-l2" => new CarliniWagner(),
            "deepfool" => new DeepFool(),
            "apgd-ce" => Apgd.CrossEntropy,
            "apgd-dlr" => Apgd.Dlr,
            "apgd-t" => Apgd.Targeted,
            "fab" => new Fab(),
            "fab-t" => Fab.Targeted,
            "square" => new Square(),
            _ => Catalog.Find(name)?.Make?.Invoke(),
        };
    }

    [GeneratedRegex(@" step=(\S+)")]
    private static partial Regex Step();

    [GeneratedRegex(@"^(pgd|bim|cw)([1-9][0-9]{0,4})?\z")]
    private static partial Regex Numbered();
}
