using Rpat.Trainer.View;

namespace Rpat.Trainer.Perception;

/// <summary>The measurements as a table and as JSON.</summary>
internal static class PerceptionTable
{
    private static readonly JsonSerializerOptions _format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The headings of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Head { get; } = ["group", "images", "D_full", "D_first", "D_second", "rho(1/2)"];

    /// <summary>One block per network and perturbation: errors, then one line per group for logits and for features.</summary>
    public static void Write(IReadOnlyList<PerceptionRun> runs, CommandContext host)
    {
        foreach (var run in runs)
        {
            host.Tell(Title(run));
            foreach (string line in new TextTable(Head, [.. Rows(run)], RightFrom: 1).Write("text").TrimEnd().Split('\n'))
                host.Out.WriteLine($"  {line}");
        }
        host.Tell("  success, failure: the perturbed image is classified correctly, or not");
        host.Tell("  D: mean squared change of the representation, from x to x' (full), from x to half way (first), from there to x' "
            + "(second);");
        host.Tell("  with robust perception D_first = D_second = D_full/4, and rho, the distance from the straight line half way, is 0");
    }

    /// <summary>What was measured, and the errors.</summary>
    public static string Title(PerceptionRun run)
    {
        var s = run.Samples;
        return $"{run.Model}, {AttackTitle.Of(s.Options.Name)}: error {Format.Percent(s.CleanError)} % clean, "
            + $"{Format.Percent(s.PerturbedError)} % perturbed, {s.Count.ToString(CultureInfo.InvariantCulture)} images";
    }

    /// <summary>One row per group for logits and for features.</summary>
    public static IEnumerable<IReadOnlyList<string>> Rows(PerceptionRun run) =>
        from space in run.Spaces
        from @group in PerceptionGroup.All
        let summary = run.Samples.Summarize(space.Space, @group)
        where summary.Count > 0
        select Row(space.Name, summary, run.Samples.Options.Alphas);

    /// <summary>Writes the means of every group as JSON, as one step.</summary>
    public static void WriteJson(string path, IReadOnlyList<PerceptionRun> runs) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(Json(runs), _format) + "\n");

    /// <summary>The same means as an object.</summary>
    public static object Json(IReadOnlyList<PerceptionRun> runs) => runs.Select(Json);

    private static IReadOnlyList<string> Row(string space, PerceptionSummary summary, IReadOnlyList<double> alphas)
    {
        double half = alphas.Select((alpha, i) => (alpha, i)).Where(p => p.alpha == 0.5).Select(p => summary.Residual[p.i])
            .FirstOrDefault(double.NaN);
        return [$"{space}: {summary.Group.Name}", summary.Count.ToString(CultureInfo.InvariantCulture), Number(summary.Full),
            Number(summary.First), Number(summary.Second), Number(half)];
    }

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("G4", CultureInfo.InvariantCulture) : "-";

    private static object Json(PerceptionRun run) => new
    {
        run.Model,
        run.Path,
        perturbation = new
        {
            run.Samples.Options.Name,
            norm = run.Samples.Options.Perturbation.Norm.Name,
            run.Samples.Options.Perturbation.Eps,
            step = run.Samples.Options.Perturbation.StepSize,
            run.Samples.Options.Perturbation.Steps,
            run.Samples.Options.Seed,
        },
        images = run.Samples.Count,
        run.Samples.CleanError,
        run.Samples.PerturbedError,
        run.Samples.Options.Alphas,
        run.Samples.AccuracyAlong,
        spaces = run.Spaces.Select(space => new
        {
            space.Name,
            groups = PerceptionGroup.All.Select(group => run.Samples.Summarize(space.Space, group)).Select(m => new
            {
                group = m.Group.Name,
                images = m.Count,
                d_full = m.Full,
                d_first = m.First,
                d_second = m.Second,
                rho = m.Residual,
                curve = m.Distance,
            }),
        }),
    };
}
