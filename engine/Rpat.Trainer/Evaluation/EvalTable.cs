using Rpat.Trainer.View;

namespace Rpat.Trainer.Evaluation;

/// <summary>An evaluation's result as a table and as JSON.</summary>
internal static class EvalTable
{
    /// <summary>One line per accuracy, with its 95 % interval; below AutoAttack what each of its attacks left; then warnings.</summary>
    public static void Write(EvaluationReport report, EvaluationManifest manifest, CommandContext host)
    {
        var output = host.Out;
        int width = Math.Max(24, report.Columns.Select(c => AttackTitle.Of(c.Label).Length + 2).DefaultIfEmpty(0).Max());
        output.WriteLine($"{"attack".PadRight(width)}{"eps",8}{"accuracy",10}   95 % interval");
        Line("Clean", "", report.CleanCorrect);
        foreach (var column in report.Columns)
        {
            Line(AttackTitle.Of(column.Label), manifest.Eps[column.Eps], column.Robust);
            if (column.Stages.Count > 1)
                foreach (var stage in column.Stages) Line($"  after {AttackTitle.Of(stage.Attack)}", "", stage.Robust);
        }
        string norm = report.Columns.Count > 0 ? $"{manifest.Norm}, " : "";
        output.WriteLine(FormattableString.Invariant($"  on {report.Images} images, {norm}in percent; Wilson intervals"));
        if (report.SelfTest.Count > 0)
            output.WriteLine(
                $"  self-test against exact optima: {(report.SelfTest.All(c => c.Passed) ? "passed" : "FAILED")} "
                    + $"({report.SelfTest.Count} cases)");
        foreach (var warning in report.Warnings) host.Tell($"  warning [{warning.Flag}] {warning.Message}", 4);

        void Line(string name, string eps, int count)
        {
            var interval = WilsonInterval.Of(count, report.Images);
            output.WriteLine(
                $"{name.PadRight(width)}{eps,8}{Format.Percent((double)count / report.Images),10}   {Format.Percent(interval.Low)} to "
                    + $"{Format.Percent(interval.High)}");
        }
    }

    /// <summary>The same as an object, for JSON.</summary>
    public static object Json(EvaluationReport report, EvaluationManifest manifest, string? folder, string digest,
        PublishedCheck? published = null, object? corruptions = null) => new
        {
            checkpoint = manifest.Model,
            model_sha256 = manifest.ModelHash,
            data = manifest.Data,
            data_sha256 = manifest.DataHash,
            images = report.Images,
            norm = manifest.Norm,
            folder,
            digest,
            clean = Accuracy(report.CleanCorrect, report.Images),
            results = report.Columns.Select(c => new
            {
                eps = manifest.Eps[c.Eps],
                eps_value = manifest.EpsValues[c.Eps],
                attack = c.Suite,
                label = c.Label,
                accuracy = Accuracy(c.Robust, report.Images),
                mean = RobustnessScores.Mean(Share(report.CleanCorrect, report.Images), Share(c.Robust, report.Images)),
                mean_interval = Interval(RobustnessScores.Mean, report, c),
                nrr = RobustnessScores.Nrr(Share(report.CleanCorrect, report.Images), Share(c.Robust, report.Images)),
                nrr_interval = Interval(RobustnessScores.Nrr, report, c),
                after = c.Stages.Select(s => new { attack = s.Attack, accuracy = Share(s.Robust, report.Images) }),
            }),
            published,
            corruptions,
            warnings = report.Warnings,
            self_test = report.SelfTest,
            settings = manifest.Settings,
        };

    private static double[] Interval(Func<double, double, double> score, EvaluationReport report, ColumnResult c)
    {
        var (low, high) = RobustnessScores.Interval(score, report.CleanCorrect, c.Robust, report.Images);
        return [low, high];
    }

    private static object Accuracy(int count, int all)
    {
        var interval = WilsonInterval.Of(count, all);
        return new { value = Share(count, all), correct = count, low = interval.Low, high = interval.High };
    }

    private static double Share(int count, int all) => (double)count / all;
}
