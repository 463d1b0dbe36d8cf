namespace Rpat.Robust;

/// <summary>
/// AutoAttack (Croce and Hein, ICML'20), constant for constant as in attacks.md section 2, for L∞ and L2. With fewer than ten classes
/// there are fewer targets, and with three or two another loss: the label says so, and no such run is ever called standard.
/// </summary>
public static class AutoAttack
{
    /// <summary>Classes that the standard version needs.</summary>
    public const int StandardClasses = 10;

    /// <summary>Forward passes that decide whether a random model is fooled (attacks.md 5.3, item 9).</summary>
    private const int RandomPasses = 20;

    /// <summary>APGD-CE, APGD-T, FAB-T, Square.</summary>
    public static AttackSuite Standard(Norm norm, double eps, int classes) => Make(
        "aa", "aa-standard", norm, eps, classes, [Apgd.CrossEntropy, Apgd.Targeted, Fab.Targeted, new Square()]);

    /// <summary>APGD-CE, APGD-DLR, FAB with five restarts each, Square, APGD-T, FAB-T.</summary>
    public static AttackSuite Plus(Norm norm, double eps, int classes) => Make("aa-plus", "aa-plus", norm, eps, classes,
    [
        Apgd.CrossEntropy with { Restarts = 5 }, Apgd.Dlr with { Restarts = 5 }, new Fab { Restarts = 5 }, new Square(),
        Apgd.Targeted, Fab.Targeted,
    ]);

    /// <summary>APGD-CE and APGD-DLR on the mean of 20 gradients, for models that are random.</summary>
    public static AttackSuite Rand(Norm norm, double eps, int classes) => Make(
        "aa-rand", "aa-rand", norm, eps, classes, [Apgd.CrossEntropy with { Draws = 20 }, Apgd.Dlr with { Draws = 20 }])
        with
    { SuccessPasses = RandomPasses };

    /// <summary>The version of that name: <c>aa</c>, <c>aa-plus</c> or <c>aa-rand</c>; null when it is none.</summary>
    public static AttackSuite? Find(string name, Norm norm, double eps, int classes) => name switch
    {
        "aa" or "aa-standard" => Standard(norm, eps, classes),
        "aa-plus" => Plus(norm, eps, classes),
        "aa-rand" => Rand(norm, eps, classes),
        _ => null,
    };

    private static AttackSuite Make(string name, string label, Norm norm, double eps, int classes, Attack[] attacks)
    {
        bool adapted = classes < StandardClasses && attacks.Any(a => a is Apgd { Targets: > 0 } or Fab { Targets: > 0 } || Undefined(a, classes));
        string full = adapted ? FormattableString.Invariant($"{label}(K={classes}, adapted)") : label;
        return new AttackSuite(name, full, [.. attacks.Select(a => a with { Norm = norm, Eps = eps })]);
    }

    private static bool Undefined(Attack attack, int classes) => classes < 3 && attack is Apgd { Loss: DlrLoss };
}
