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

    /// <summary>One block per network and perturbation: errors, then one line per group for logits and for features.</summary>
    public static void Write(IReadOnlyList<PerceptionRun> runs, TextWriter output)
    {
        foreach (var run in runs)
        {
            var s = run.Samples;
            output.WriteLine(
                $"{run.Model}, {s.Options.Name}: error {Format.Percent(s.CleanError)} % clean, {Format.Percent(s.PerturbedError)} % "
                    + $"perturbed, {s.Count.ToString(CultureInfo.InvariantCulture)} images");
            output.WriteLine($"  {"",-31}{"images",8}{"D_full",11}{"D_first",11}{"D_second",11}{"rho(1/2)",11}");
            foreach (var (name, space) in run.Spaces)
                foreach (var group in PerceptionGroup.All) Line(name, s.Summarize(space, group), s.Options.Alphas, output);
        }
        output.WriteLine(
            "  D: mean squared change of the representation; half way with robust perception D_first = D_second = D_full/4 and rho = 0");
    }

    /// <summary>Writes the means of every group as JSON, as one step.</summary>
    public static void WriteJson(string path, IReadOnlyList<PerceptionRun> runs) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(Json(runs), _format) + "\n");

    /// <summary>The same means as an object.</summary>
    public static object Json(IReadOnlyList<PerceptionRun> runs) => runs.Select(Json);

    private static void Line(string space, PerceptionSummary summary, IReadOnlyList<double> alphas, TextWriter output)
    {
        double half = alphas.Select((alpha, i) => (alpha, i)).Where(p => p.alpha == 0.5).Select(p => summary.Residual[p.i])
            .FirstOrDefault(double.NaN);
        string label = $"{space}: {summary.Group.Name}";
        output.WriteLine(
            $"  {label,-31}{summary.Count.ToString(CultureInfo.InvariantCulture),8}{Number(summary.Full)}{Number(summary.First)}{Number(summary.Second)}{Number(half)}");
    }

    private static string Number(double value) =>
        (double.IsFinite(value) ? value.ToString("G4", CultureInfo.InvariantCulture) : "-").PadLeft(11);

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
