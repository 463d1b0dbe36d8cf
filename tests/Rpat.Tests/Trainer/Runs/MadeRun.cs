namespace Rpat.Tests.Trainer.Runs;

/// <summary>Run folders without the training: what <c>train</c> makes at its start and its end, in a moment.</summary>
internal static class MadeRun
{
    /// <summary>A folder as a run leaves it that is killed before its first record.</summary>
    public static string Begun(TestHost test, string name) => Make(test, name, status: null);

    /// <summary>A finished run with a network and a checkpoint.</summary>
    public static string Finished(TestHost test, string name, params string[] sets)
    {
        string folder = Make(test, name, RunStatus.Finished, sets);
        File.WriteAllText(Path.Combine(folder, "model.safetensors"), "network");
        Directory.CreateDirectory(Path.Combine(folder, "checkpoints"));
        File.WriteAllText(Path.Combine(folder, "checkpoints", "step-00000002.safetensors"), "checkpoint");
        return folder;
    }

    private static string Make(TestHost test, string name, RunStatus? status, params string[] sets)
    {
        var sources = new ConfigSources([], new Dictionary<string, string>(),
            ["recipe.name=fashion-quick", $"run.out={test.PathOf("runs")}", $"run.name={name}", .. sets], []);
        using var run = RunFolder.Create(ConfigResolver.Resolve(sources), new FixedClock());
        var start = new FixedClock().Now;
        if (status is { } known)
            new RunRecord(["rpat", "train"], start, start.AddMinutes(1), known, 0, null, MachineInfo.Here(),
                new ComputeInfo("cpu", "", new Dictionary<string, string>())).Save(run);
        return run.Path;
    }
}
