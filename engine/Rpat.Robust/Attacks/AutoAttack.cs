namespace Rpat.Robust.Attacks;

/// <summary>
/// AutoAttack (Croce and Hein, ICML'20), with exactly the constants of attacks.md section 2, for L∞, L2 and L1. With fewer than ten classes
/// there are fewer targets, and with three or two another loss: the label says so, and no such run is ever called standard.
/// </summary>
public static class AutoAttack
{
    /// <summary>Classes that the standard version needs.</summary>
    public const int StandardClasses = 10;

    /// <summary>APGD-CE, APGD-T, FAB-T, Square; for L1 five runs of APGD-CE and five targets of APGD-T, in shrinking balls.</summary>
    public static AttackSuite Standard(Norm norm, double eps, int classes) => Make("aa", "aa-standard", norm, eps, classes,
    [
        .. norm == Norm.L1
            ? [Apgd.CrossEntropy with { Restarts = 5, Shrinks = true }, Apgd.Targeted with { Targets = 5, Shrinks = true }]
            : new[] { Apgd.CrossEntropy, Apgd.Targeted },
        Fab.Targeted, new Square(),
    ]);

    /// <summary>APGD-CE, APGD-DLR, FAB with five restarts each, Square, APGD-T, FAB-T.</summary>
    public static AttackSuite Plus(Norm norm, double eps, int classes) => Make("aa-plus", "aa-plus", norm, eps, classes,
    [
        Apgd.CrossEntropy with { Restarts = 5 }, Apgd.Dlr with { Restarts = 5 }, new Fab { Restarts = 5 }, new Square(),
        Apgd.Targeted, Fab.Targeted,
    ]);

    /// <summary>
    /// APGD-CE and APGD-DLR on the mean of 20 gradients, for random models: one run of all 100 iterations, then one pass decides, as
    /// in the reference, over the latest misclassified iterate, or over the image itself if there was none. An image that an attack
    /// skips, because a pass before it misclassified it, is decided the same way.
    /// </summary>
    public static AttackSuite Rand(Norm norm, double eps, int classes) => Make("aa-rand", "aa-rand", norm, eps, classes,
    [
        Apgd.CrossEntropy with { Draws = 20, StopAtSuccess = false }, Apgd.Dlr with { Draws = 20, StopAtSuccess = false },
    ]) with
    {
        LooksFirst = true,
    };

    /// <summary>The version of that name: <c>aa</c>, <c>aa-plus</c> or <c>aa-rand</c>; null when there is none.</summary>
    public static AttackSuite? Find(string name, Norm norm, double eps, int classes) => name switch
    {
        "aa" or "aa-standard" => Standard(norm, eps, classes),
        "aa-plus" => Plus(norm, eps, classes),
        "aa-rand" => Rand(norm, eps, classes),
        _ => null,
    };

    /// <summary>
    /// The version of that label, such as <c>aa-standard(K=5, adapted)</c>; null when no version has it with this many classes.
    /// </summary>
    internal static AttackSuite? Labelled(string label, Norm norm, double eps, int classes) =>
        new[] { Standard(norm, eps, classes), Plus(norm, eps, classes), Rand(norm, eps, classes) }.FirstOrDefault(
        suite => suite.Label == label);

    private static AttackSuite Make(string name, string label, Norm norm, double eps, int classes, Attack[] attacks)
    {
        if (classes < 2) throw new ArgumentException($"AutoAttack: of {classes} classes there is no other to give an image.");
        bool adapted = classes < StandardClasses && attacks.Any(
            a => a is Apgd { Targets: > 0 } or Fab { Targets: > 0 } || Undefined(a, classes));
        string full = adapted ? FormattableString.Invariant($"{label}(K={classes}, adapted)") : label;
        return new AttackSuite(name, full, [.. attacks.Select(a => a with { Norm = norm, Eps = eps })]) { Classes = classes };
    }

    private static bool Undefined(Attack attack, int classes) => classes < 3 && attack is Apgd { Loss: DlrLoss };
}
