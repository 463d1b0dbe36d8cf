using Rpat.Trainer.Reproduce;

namespace Rpat.Trainer.Studies;

/// <summary>
/// Does a study's rows with the commands that a user would type. A row that was stopped is resumed where it was; a finished one is kept in
/// the table and not done again.
/// </summary>
internal sealed class StudyRun(StudyPlace place, StudyFile file, CommandContext host, Func<string[], CommandContext, int> program)
{
    private readonly ReproduceSteps _steps = new(host, program);

    /// <summary>Does the rows that are not in the table.</summary>
    /// <returns>0, the exit code that a signal asked for, or that of the first row that failed.</returns>
    /// <exception cref="UsageException">The table has a row of other settings, or the last epoch is not validated.</exception>
    /// <exception cref="IOException">The table cannot be written.</exception>
    public int Run(IReadOnlyList<StudyRow> rows)
    {
        file.RequirePlace();
        foreach (var row in rows) Require(row);
        SeveralTrainings.Require(host, TransportKind.Auto, "start it by itself");
        int first = ExitCode.Done;
        foreach (var row in rows)
        {
            if (Done(row) is not null) continue;
            int code = Make(row, place, out var record);
            if (record is not null) file.Add(record);
            if (ExitCode.IsStop(code)) return code;
            if (first == ExitCode.Done) first = code;
        }
        return first;
    }

    /// <summary>Does a row once more, in a folder of its own, and compares it with the table bit by bit.</summary>
    /// <exception cref="UsageException">The table does not have the row.</exception>
    public int Check(StudyRow row)
    {
        var known = Done(row) ?? throw new UsageException($"row {row.Number} is not in the table yet: do it first, without --check.");
        // Neither what another commit made nor an earlier check is what is asked for; one that was stopped is resumed.
        var elsewhere = place with { Out = Path.Combine(place.Out, "check", MachineInfo.ProgramVersion()) };
        var before = row.Job(elsewhere);
        if (before.Run is { } run && row.Steps(before, run).All(step => File.Exists(step.Result)))
            Directory.Delete(before.Folder, recursive: true);
        int code = Make(row, elsewhere, out var again);
        if (again is null) return code;
        var differing = known.Differing(again);
        if (differing.Count == 0) Directory.Delete(row.Job(elsewhere).Folder, recursive: true);
        host.Out.WriteLine(differing.Count == 0
            ? $"row {row.Number}: the same bits again, weights {again["weights"]}"
            : $"row {row.Number}: other {string.Join(", ", differing)}; the table's is of commit {known["commit"]} on {known["kernels"]}, "
                + $"this one of {again["commit"]} on {again["kernels"]}");
        return differing.Count == 0 ? ExitCode.Done : ExitCode.Untrusted;
    }

    /// <summary>The row's record, or null if it is not done.</summary>
    /// <exception cref="UsageException">It was made with other settings.</exception>
    public StudyRecord? Done(StudyRow row)
    {
        if (file.Read().FirstOrDefault(record => record.Row == row.Number) is not { } known) return null;
        string settings = row.Settings(row.Job(place));
        return known["settings"] == settings ? known : throw new UsageException(
            $"row {row.Number} of the table has the settings {known["settings"]}, and the study now {settings}: give the study another "
            + "name.");
    }

    // A row has validation's accuracies without their epochs.
    private void Require(StudyRow row)
    {
        var config = row.Job(place).Config;
        if (config.Train.Epochs % config.Eval.Every != 0)
            throw new UsageException($"row {row.Number} validates every {config.Eval.Every} of {config.Train.Epochs} epochs: let "
                + "eval.every of the study divide train.epochs.");
    }

    private int Make(StudyRow row, StudyPlace where, out StudyRecord? record)
    {
        record = null;
        var job = row.Job(where);
        Claim(row, job);
        string title = FormattableString.Invariant($"[{row.Number}/{row.Study.Rows.Count}] {row.Variant.Name} seed {row.Seed}");
        int code = Timed(job, () => _steps.Train(job, title));
        if (code != ExitCode.Done) return code;
        foreach (var (what, command, result) in row.Steps(job, job.Run!))
        {
            if (File.Exists(result)) continue;
            code = Timed(job, () => _steps.Step(job, title, what, command, result));
            if (code != ExitCode.Done) return code;
        }
        record = StudyRecord.Of(row, job, SecondsOf(job));
        return ExitCode.Done;
    }

    // What an earlier plan of the same names has trained or measured is none of this row's.
    private static void Claim(StudyRow row, ReproduceJob job)
    {
        string path = Path.Combine(job.Folder, "settings.txt"), now = row.Settings(job);
        if (File.Exists(path) && RegularFile.ReadText(path, 100).Trim() is var before && before != now)
            throw new UsageException($"'{job.Folder}' holds a run of the settings {before}, and row {row.Number} now has {now}: choose "
                + "another --out, or give the study another name.");
        AtomicFile.MakeFolder(job.Folder);
        AtomicFile.WriteText(path, now + "\n");
    }

    // Processor time of all threads; the last step of a process that is killed is not counted.
    private static int Timed(ReproduceJob job, Func<int> step)
    {
        double start = Environment.CpuUsage.TotalTime.TotalSeconds;
        int code = step();
        AtomicFile.WriteText(Clock(job), Text(SecondsOf(job) + Environment.CpuUsage.TotalTime.TotalSeconds - start));
        return code;
    }

    private static double SecondsOf(ReproduceJob job) =>
        File.Exists(Clock(job)) ? double.Parse(RegularFile.ReadText(Clock(job), 100), CultureInfo.InvariantCulture) : 0;

    private static string Clock(ReproduceJob job) => Path.Combine(job.Folder, "core-seconds.txt");

    private static string Text(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture);
}
