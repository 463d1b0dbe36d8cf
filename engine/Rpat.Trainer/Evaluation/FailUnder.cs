using Rpat.Trainer.View;

namespace Rpat.Trainer.Evaluation;

/// <summary>Accuracies that an evaluation must reach: <c>--fail-under pgd20=45</c>, in percent, at every radius.</summary>
internal sealed class FailUnder
{
    private const string Clean = "clean";

    private readonly IReadOnlyList<(string Attack, double Percent)> _limits;

    private FailUnder(IReadOnlyList<(string, double)> limits) => _limits = limits;

    /// <summary>Reads the limits.</summary>
    /// <param name="texts">Each <c>ATTACK=PERCENT</c>; several may be joined by commas.</param>
    /// <param name="attacks">What is measured in addition to <c>clean</c>.</param>
    /// <exception cref="UsageException">One is not such a limit, or names an attack that is not measured.</exception>
    public static FailUnder Parse(IEnumerable<string> texts, IReadOnlyList<string> attacks) =>
        new([.. texts.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .Select(text => One(text, attacks))]);

    /// <summary>The limits that were missed, one sentence each.</summary>
    /// <param name="attacks">The names of its columns at each radius, in order.</param>
    public IEnumerable<string> Missed(EvaluationReport report, IReadOnlyList<string> attacks, IReadOnlyList<string> radii)
    {
        foreach (var (attack, percent) in _limits)
        {
            var measured = attack == Clean
                ? [(Where: "", Correct: report.CleanCorrect)]
                : report.Columns.Where((_, i) => attacks[i % attacks.Count] == attack)
                .Select(c => (Where: $" at eps {radii[c.Eps]}", Correct: c.Robust));
            foreach (var (where, correct) in measured.Where(m => 100.0 * m.Correct / report.Images < percent))
                yield return $"{attack}{where} is {Format.Percent((double)correct / report.Images)} where at least "
                    + $"{percent.ToString(CultureInfo.InvariantCulture)} is asked for (--fail-under).";
        }
    }

    private static (string, double) One(string text, IReadOnlyList<string> attacks)
    {
        string[] parts = text.Split('=', StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double percent)
            || percent is not (>= 0 and <= 100))
            throw new UsageException($"--fail-under is '{text}' where ATTACK=PERCENT is wanted, such as pgd20=45.");
        string[] measured = [Clean, .. attacks];
        string attack = CatalogNames.Attacks.Canonical(parts[0]);
        return measured.Contains(attack) ? (attack, percent) : throw new UsageException(
            $"--fail-under names '{parts[0]}', which --attacks does not measure: {DidYouMean.Hint(parts[0], measured, "measured")}");
    }
}
