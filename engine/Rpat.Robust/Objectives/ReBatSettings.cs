namespace Rpat.Robust;

/// <summary>What the settings of ReBAT and RPAT++ mean: the two share everything but the teacher.</summary>
internal static class ReBatSettings
{
    private const int SecondDrop = 151; // the second milestone of the 200 epochs, counted from 1

    /// <summary>Those that both have, but for β.</summary>
    public static IReadOnlyList<MethodParameter> Shared { get; } =
    [
        MethodParameter.Epoch("start", 106, "first epoch in which the average moves on its own", "official code: 105, counted from 0"),
        MethodParameter.Number("strong_eps", "0", "radius of a stronger attack in the second half of the run; 0 for none", "ReBAT++: 10/255"),
        new MethodParameter("strong_steps", SettingKind.Whole, "12", "its steps", "ReBAT++") with { Least = 1 },
        MethodParameter.Epoch("strong_from", 101, "first epoch of the stronger attack", "ReBAT++: 100, counted from 0"),
        MethodParameter.Flag("log_clean", false, "faithful to the official code: scoring and logging forwards, which only move running statistics", "methods.md section 8, number 9"),
    ];

    /// <summary>β, how it moves, and the average that it pulls to.</summary>
    /// <param name="source">Where β is from, which is uncertain for some networks.</param>
    /// <param name="uncertain">Whether that is said of the other two as well; else they are the official code's.</param>
    public static IEnumerable<MethodParameter> Beta(string source, bool uncertain = false) =>
    [
        MethodParameter.Number("beta", "1", "weight of the divergence", source) with { Uncertain = true },
        MethodParameter.Choice("schedule", "constant", "how beta moves: constant, dependent on the learning rate, or piecewise (half as much again from epoch 151)", uncertain ? source : "official code: off by default", "constant", "dependent", "piecewise") with { Uncertain = uncertain },
        MethodParameter.Number("decay", "0.999", "share of the old average in each step", uncertain ? source : "official code") with { Most = 1, Uncertain = uncertain },
    ];

    public static Objective ReBat(MethodSettings s, PgdOptions pgd) => new ReBat(Pgd(s, pgd), Beta(s), s.Whole("start"))
    {
        Average = Average(s),
        Stronger = Stronger(s, pgd),
        StrongerFrom = s.Whole("strong_from"),
    };

    public static Objective RpatPlusPlus(MethodSettings s, PgdOptions pgd) => new RpatPlusPlus(Pgd(s, pgd), Beta(s), s.Number("alpha"), s.Whole("start"))
    {
        Average = Average(s),
        Stronger = Stronger(s, pgd),
        StrongerFrom = s.Whole("strong_from"),
    };

    private static PgdOptions Pgd(MethodSettings s, PgdOptions pgd) => pgd with { ScoresEnd = s.Flag("log_clean") };

    private static EmaAveraging Average(MethodSettings s) => new(s.Number("decay"), s.Whole("start"));

    private static PgdOptions? Stronger(MethodSettings s, PgdOptions pgd) =>
        s.Number("strong_eps") == 0 ? null : Pgd(s, pgd) with { Eps = s.Number("strong_eps"), Steps = s.Whole("strong_steps") };

    private static Coefficient Beta(MethodSettings s)
    {
        float beta = s.Number("beta");
        return s.Text("schedule") switch
        {
            "dependent" => new RateCoefficient(beta),
            "piecewise" => new StepCoefficient(beta, SecondDrop, 1.5f * beta),
            _ => beta,
        };
    }
}
