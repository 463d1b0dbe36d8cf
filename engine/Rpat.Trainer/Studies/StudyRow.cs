using Rpat.Trainer.Reproduce;

namespace Rpat.Trainer.Studies;

/// <summary>Where a study's runs are, and what computes them.</summary>
internal sealed record StudyPlace(string Out, string? DataDir, string Device, int Threads);

/// <summary>One training of a study with its measurements.</summary>
/// <param name="Number">From 1, in the order in which rows are done.</param>
internal sealed record StudyRow(int Number, Study Study, StudyVariant Variant, long Seed)
{
    /// <summary>Its run and the commands that make it.</summary>
    public ReproduceJob Job(StudyPlace place) => new(new ReproducePlan("study", [(Variant.Name, Variant.Recipe)], [Seed],
        Path.Combine(place.Out, Variant.Name), Study.Strong.Name, Study.Strong.Images, Variant.Sets, place.DataDir, place.Device,
        place.Threads), Variant.Name, Variant.Recipe, Seed);

    /// <summary>The evaluation of the run's network under the study's attack.</summary>
    public ReproduceMeasurement Strong(ReproduceJob job) => job.Measurement;

    /// <summary>That under the cheaper attack.</summary>
    public ReproduceMeasurement Monitor(ReproduceJob job) => new(job, Study.Monitor.Name, Study.Monitor.Images);

    /// <summary>That of the last epoch's network, where it is not the run's.</summary>
    public ReproduceMeasurement Last(ReproduceJob job) => Monitor(job) with { Prefix = "last-" };

    /// <summary>What is measured of perception along the attack, a file.</summary>
    public static string PerceptionFile(ReproduceJob job) => Path.Combine(job.Folder, "perception", "perception.json");

    /// <summary>The steps after training: what each does, its command, and the file that exists when it is done.</summary>
    public IEnumerable<(string What, string[] Command, string Result)> Steps(ReproduceJob job, string run)
    {
        string network = CheckpointFile.At(run), last = Path.Combine(run, CheckpointFile.Name);
        yield return ("measuring", Monitor(job).Command(network), Monitor(job).Result);
        if (StudyRecord.HashOf(network) != StudyRecord.HashOf(last))
            yield return ("measuring", Last(job).Command(last), Last(job).Result);
        yield return ("attacking", Strong(job).Command(network), Strong(job).Result);
        var attack = job.Config.Attack;
        yield return ("perception",
        [
            "perception", network, "--perturbations", Study.Perception.Name, "--norm", attack.Norm.Name, "--eps", Format.Pixels(attack.Eps),
            "--n", Study.Perception.Images.ToString(CultureInfo.InvariantCulture), "--out",
            Path.GetDirectoryName(PerceptionFile(job))!, .. job.Where(),
        ], PerceptionFile(job));
    }

    /// <summary>A short hash of every value that the row's numbers depend on and that is not a default.</summary>
    public string Settings(ReproduceJob job)
    {
        var values = from value in job.Resolved.Values.Values
                     where value.Origin != "default" && !ResumeRules.IsFree(value.Path)
                     orderby value.Path
                     select $"{value.Path}={value.Text}";
        return EvaluationManifest.ShortHash(string.Join('\n', [.. values, $"{Study.Strong}", $"{Study.Monitor}", $"{Study.Perception}"]));
    }
}
