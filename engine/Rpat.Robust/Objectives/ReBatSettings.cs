namespace Rpat.Robust;

/// <summary>What the settings of ReBAT and RPAT++ mean: the two share everything but the teacher.</summary>
internal static class ReBatSettings
{
    private const int SecondDrop = 151; // the second milestone of the 200 epochs, counted from 1

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
