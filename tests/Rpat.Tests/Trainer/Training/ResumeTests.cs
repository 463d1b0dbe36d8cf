namespace Rpat.Tests.Trainer.Training;

/// <summary>A run that is stopped and resumed leaves the bytes of one that never stopped.</summary>
public sealed class ResumeTests(ResumeTests.Trained trained) : IClassFixture<ResumeTests.Trained>, IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(3)] // in the first epoch
    [InlineData(6)] // where an epoch ends
    [InlineData(8)]
    public void ARaisedLimitGoesOnBitForBit(int stop)
    {
        string whole = trained.Run(13), parts = Copied("parts", stop);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
        Assert.Contains($"resuming from step {stop} of 13", _test.Error);
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    [Theory]
    [InlineData(4)] // between two batches of one step of the optimizer
    [InlineData(6)]
    [InlineData(8)]
    public void GatheredGradientsSurviveAStop(int stop)
    {
        string[] more = ["--accumulate", "3", "--clip", "0.5"];
        string whole = trained.Run(13, more), parts = Copied("parts", stop, more);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
        Assert.Equal(Hashes(whole), Hashes(parts));
        Assert.NotEqual(Hashes(whole), Hashes(trained.Run(13)));
    }

    [Fact]
    public void TheMomentsOfAdamSurviveAStop()
    {
        string[] more = ["--optimizer", "adamw", "--lr", "0.001"];
        string whole = trained.Run(13, more), parts = Copied("parts", 8, more);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
        Assert.Equal(Hashes(whole), Hashes(parts));
        Assert.NotEqual(Hashes(whole), Hashes(trained.Run(13, ["--optimizer", "adam", "--lr", "0.001"])));
    }

    [Fact]
    public void WhatWasWrittenBehindTheCheckpointIsWrittenAgain()
    {
        string whole = trained.Run(13), parts = Copied("parts", 13);
        foreach (string newer in Directory.GetFiles(Path.Combine(parts, "checkpoints")).Order(StringComparer.Ordinal).Skip(1))
            File.Delete(newer);
        File.AppendAllText(Path.Combine(parts, "metrics.jsonl"), "{\"step\":99,\"ep");
        File.WriteAllText(Path.Combine(parts, "model.safetensors.tmp-1"), "half-written by a process that is dead");
        Assert.Equal(0, _test.Run("train", "--resume", parts));
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    [Fact]
    public void ARunWithoutACheckpointBeginsAgain()
    {
        string whole = trained.Run(5), parts = Copied("parts", 5);
        Directory.Delete(Path.Combine(parts, "checkpoints"), recursive: true);
        string record = Path.Combine(parts, "run.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"finished\"", "\"running\""));
        Assert.Equal(0, _test.Run("train", "--resume", parts));
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    /// <summary>Its network stays, as the command that removed its checkpoints says.</summary>
    [Fact]
    public void AFinishedRunWithoutCheckpointsStaysAsItIs()
    {
        string run = Copied("run", 5);
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        var before = Hashes(run).ToList();
        Assert.Equal(0, _test.Run("train", "--resume", run));
        Assert.Contains("nothing is left to train", _test.Error);
        Assert.Equal(2, _test.Run("train", "--resume", run, "--set", "train.max_steps=7"));
        Assert.Contains("is finished and its checkpoints were removed, so that it cannot be trained further", _test.Error);
        Assert.Equal(before, Hashes(run));
    }

    /// <summary>The command that resumes a run says nothing that its configuration does not say.</summary>
    [Fact]
    public void WhatAResumedRunIsTrainedWithIsInItsConfiguration()
    {
        string whole = trained.Run(13), parts = Copied("parts", 5);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
        Assert.Contains("  max_steps: 13", File.ReadAllText(Path.Combine(parts, "config.yaml")));
        Assert.Equal(0, _test.Run("train", "--resume", parts));
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    /// <summary>The newest run is another one as soon as the student's folder exists.</summary>
    [Fact]
    public void ATeacherThatWasTheLatestRunStaysTheTeacher()
    {
        string root = _test.PathOf("runs");
        string[] Line(int steps, string name, params string[] more) =>
            [.. TinyRun.Arguments(_test), "--out", root, "--set", $"train.max_steps={steps}", "--name", name, .. more];
        string[] student = ["--method", "adaad", "--set", "method.teachers.robust=latest"];
        Assert.Equal(0, _test.Run(Line(4, "teacher", "--method", "clean")));
        Assert.Equal(0, _test.Run(Line(3, "parts", student)));
        string teacher = Path.GetFileName(RunFiles.Runs(_test, "runs").Single(run => run.EndsWith("-teacher", StringComparison.Ordinal))),
            parts = RunFiles.Runs(_test, "runs").Single(run => run.EndsWith("-parts", StringComparison.Ordinal));
        Assert.Contains($"{teacher}  # 'latest' when the run began", File.ReadAllText(Path.Combine(parts, "config.yaml")));
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=8"));
        student[^1] = $"method.teachers.robust={Path.Combine(root, teacher)}";
        Assert.Equal(0, _test.Run(Line(8, "whole", student)));
        Assert.Equal(Hashes(RunFiles.Runs(_test, "runs").Single(run => run.EndsWith("-whole", StringComparison.Ordinal))), Hashes(parts));
        // What earlier versions stored: a name means the same run still, and of 'latest' nobody knows which it was.
        string config = Path.Combine(parts, "config.yaml"), stored = File.ReadAllText(config);
        string line = stored.Split('\n').Single(line => line.TrimStart().StartsWith("robust:", StringComparison.Ordinal));
        File.WriteAllText(config, stored.Replace(line, "    robust: teacher", StringComparison.Ordinal));
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--out", root));
        File.WriteAllText(config, stored.Replace(line, "    robust: latest", StringComparison.Ordinal));
        Assert.Equal(2, _test.Run("train", "--resume", parts, "--out", root));
        Assert.Contains("is 'latest', of which an earlier version did not store the run", _test.Error);
        File.WriteAllText(config, stored);
        Assert.Equal(2, _test.Run("train", "--resume", parts, "--set", "train.max_steps=5"));
        Assert.Equal(stored, File.ReadAllText(config)); // what was refused is not written down
        File.Copy(Path.Combine(parts, "model.safetensors"), Path.Combine(root, teacher, "model.safetensors"), overwrite: true);
        Assert.Equal(3, _test.Run("train", "--resume", parts, "--set", "train.max_steps=9"));
        Assert.Contains("the networks of method.teachers are not those that the run began with", _test.Error);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=9", "--allow-change", "method.teachers", "--set",
            $"method.teachers.robust={parts}"));
    }

    /// <summary>A run may have been saved by the clock alone when a rollback is allowed.</summary>
    [Fact]
    public void ARollbackThatIsAllowedOnResumeHasSomethingToRollBackTo()
    {
        string run = Copied("run", 5);
        foreach (string file in Directory.GetFiles(Path.Combine(run, "checkpoints")))
            Rewrite(file, metadata =>
            {
                string key = metadata.Single(pair => pair.Value.Contains("\"planned\":true", StringComparison.Ordinal)).Key;
                metadata[key] = metadata[key].Replace("\"planned\":true", "\"planned\":false", StringComparison.Ordinal);
            }, digest: true);
        Assert.Equal(0, _test.Run("train", "--resume", run, "--set", "train.max_steps=9", "--set", "guard.action=rollback", "--set",
            "guard.cut=1e-22", "--lr", "1e20", "--allow-change", "optimizer.lr"));
        Assert.Contains("to step 5, the learning rate is", File.ReadAllText(Path.Combine(run, "warnings.txt")));
    }

    /// <summary>An epoch that was cut short may have chosen its network, which the checkpoint before it does not know.</summary>
    [Fact]
    public void TheBestEpochIsThatOfTheNetworkThatIsKept()
    {
        string run = Copied("run", 8, ["--val-split", "9", "--monitor", "pgd2"]);
        Rewrite(Path.Combine(run, "best.safetensors"), metadata => (metadata["rpat.epoch"], metadata["rpat.robust"]) = ("3", "0.975"),
            digest: true);
        Assert.Equal(0, _test.Run("train", "--resume", run, "--set", "train.max_steps=12"));
        Assert.Contains(" best=97.50 best_epoch=3", File.ReadAllText(Path.Combine(run, "log.txt")));
    }

    /// <summary>A step at an epoch's end is a step, and an epoch that is kept for good has a checkpoint to keep.</summary>
    [Theory]
    [InlineData("checkpoint.steps=6", "checkpoint.epochs=0", new[] { 6, 12, 18 })]
    [InlineData("checkpoint.keep_every=2", "checkpoint.epochs=3", new[] { 12, 18 })]
    public void CheckpointsArePlannedByStepsAndEpochs(string setting, string other, int[] steps)
    {
        string root = _test.PathOf("planned");
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--out", root, "--epochs", "3", "--set", setting, "--set", other, "--set",
            "checkpoint.keep=9", "--set", "train.max_steps=0"]));
        Assert.Equal(steps.Select(step => $"step-{step:D8}.safetensors"), Directory.GetFiles(Path.Combine(root, "latest", "checkpoints"))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ADamagedCheckpointIsSkippedWithANote(bool oneBit)
    {
        string whole = trained.Run(13), parts = Copied("parts", 13);
        string newest = Directory.GetFiles(Path.Combine(parts, "checkpoints")).Max(StringComparer.Ordinal)!;
        byte[] content = File.ReadAllBytes(newest);
        content[^100] ^= 4; // a weight
        File.WriteAllBytes(newest, oneBit ? content : content[..1000]);
        Assert.Equal(0, _test.Run("train", "--resume", parts));
        Assert.Contains(Path.GetFileName(newest), _test.Error);
        Assert.Contains("falls back to 'step-", _test.Error);
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    [Fact]
    public void WithoutASoundCheckpointNothingIsBegunAgain()
    {
        string run = Copied("run", 5);
        string[] all = Directory.GetFiles(Path.Combine(run, "checkpoints"));
        foreach (string file in all) File.WriteAllText(file, "damaged");
        Assert.NotEqual(0, _test.Run("train", "--resume", run));
        Assert.Contains("can be read", _test.Error);
        Assert.All(all, file => Assert.Equal("damaged", File.ReadAllText(file)));
    }

    [Fact]
    public void CheckpointsOfEarlierVersionsHaveNoDigestAndAreTakenWithANote()
    {
        string whole = trained.Run(7), parts = Copied("parts", 4);
        string newest = Directory.GetFiles(Path.Combine(parts, "checkpoints")).Max(StringComparer.Ordinal)!;
        Rewrite(newest, metadata => _ = metadata.Remove("rpat.sha256") & metadata.Remove("rpat.hash"), digest: false);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=7"));
        Assert.Single(_test.Error.Split('\n'), line => line.Contains("without a SHA-256"));
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    [Fact]
    public void AutoGoesOnWithTheNewestUnfinishedRunOfThatName()
    {
        string whole = trained.Run(7), parts = Copied("parts", 4);
        string record = Path.Combine(parts, "run.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"finished\"", "\"running\""));
        Assert.Equal(0, _test.Run([.. trained.Arguments(_test.PathOf("parts"), 7), "--resume"]));
        Assert.Equal(Hashes(whole), Hashes(parts));
        Assert.Single(RunsIn("parts"));
        Assert.Equal(0, _test.Run([.. trained.Arguments(_test.PathOf("parts"), 7), "--resume", "auto"]));
        Assert.Equal(2, RunsIn("parts").Count);
    }

    [Fact]
    public void AnotherConfigurationIsRefusedInOneSentence()
    {
        string run = Copied("run", 3);
        Assert.Equal(2, _test.Run("train", "--resume", run, "--lr", "0.05"));
        string last = _test.Error.TrimEnd().Split('\n')[^1];
        Assert.Matches(@"^rpat: optimizer\.lr is '0\.05' \(--lr\) where run '.*' has '0\.01', .*--allow-change optimizer\.lr\.$", last);
        Assert.Equal(0, _test.Run("train", "--resume", run, "--lr", "0.05", "--allow-change", "optimizer.lr", "--set",
            "train.max_steps=4"));
        Assert.Contains("lr: 0.05", File.ReadAllText(Path.Combine(run, "config.yaml")));
        Assert.Equal(2, _test.Run("train", "--resume", run, "--set", "train.max_steps=2"));
        Assert.Contains("the run is at step 4 and was to end at step 2: give more as train.max_steps or train.epochs.", _test.Error);
    }

    [Fact]
    public void AResumeThatIsRefusedLeavesAFinishedRunAsItWas()
    {
        string run = Copied("run", 6), other = TinyRun.Write(_test.PathOf("other.npz"), firstLabel: 1);
        Dictionary<string, byte[]> Files() => Directory.GetFiles(run, "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith("log.txt", StringComparison.Ordinal)).ToDictionary(file => file, File.ReadAllBytes);
        var before = Files();
        Assert.Equal(2, _test.Run("train", "--resume", run, "--set", "train.max_steps=4"));
        Assert.Contains("was to end at step 4", _test.Error);
        Assert.Equal(before, Files());
        Assert.Equal(3, _test.Run("train", "--resume", run, "--set", "train.max_steps=8", "--data", $"npz:{other}", "--allow-change", "data.name"));
        Assert.Equal(before, Files());
    }

    [Fact]
    public void ThreadsViewsAndWritingItDifferentlyAreNoOtherConfiguration()
    {
        string whole = trained.Run(7), parts = Copied("parts", 4);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--threads", "2", "--progress", "none", "--lr", "1e-2", "--set",
            "train.max_steps=7"));
        Assert.Equal(Hashes(whole), Hashes(parts));
    }

    [Fact]
    public void ARunThatDoesNotExistIsSaid()
    {
        Assert.Equal(2, _test.Run("train", "--resume", "no-such-run", "--out", _test.Folder));
        Assert.Contains("there is no run 'no-such-run'", _test.Error);
    }

    [Fact]
    public void ARunThatIsOpenElsewhereIsRefused()
    {
        string run = Copied("run", 3);
        using var held = new FileStream(Path.Combine(run, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(2, _test.Run("train", "--resume", run));
        Assert.Contains("no other process or job has it open", _test.Error);
    }

    [Fact]
    public void OtherImagesAreRefused()
    {
        string run = Copied("run", 3);
        string newest = Directory.GetFiles(Path.Combine(run, "checkpoints")).Max(StringComparer.Ordinal)!;
        Rewrite(newest, metadata => metadata["rpat.checkpoint"] = metadata["rpat.checkpoint"].Replace("\"data\":\"", "\"data\":\"0"),
            digest: true);
        Assert.Equal(3, _test.Run("train", "--resume", run, "--set", "train.max_steps=4"));
        Assert.Contains("not those that the run began with", _test.Error);
    }

    [Theory]
    [InlineData(3)] // in the first epoch
    [InlineData(8)]
    public void ARunWithFurtherImagesGoesOnBitForBitWithTheSameOnesOnly(int stop)
    {
        string aux = Further(0, 0);
        string[] more = ["--set", $"data.aux={aux}", "--set", "data.aux_fraction=0.5", "--set", "data.augment.policy=randaugment"];
        string whole = trained.Run(13, more), parts = Copied("parts", stop, more);
        foreach (var (pixel, label) in new[] { (1, 0), (0, 1) })
        {
            Further(pixel, label);
            Assert.Equal(3, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
            Assert.Contains("rpat: the images of data.aux are not those that the run began with: give the same ones, or start a new run.",
                _test.Error.Split('\n'));
        }
        Further(0, 0);
        Assert.Equal(0, _test.Run("train", "--resume", parts, "--set", "train.max_steps=13"));
        Assert.Equal(Hashes(whole), Hashes(parts));
        Assert.NotEqual(Hashes(whole), Hashes(trained.Run(13)));
    }

    // Images of the tiny set's size; one pixel of the last and one label can be others.
    private string Further(int pixel, int label)
    {
        byte[] pixels = [.. Enumerable.Range(0, 40 * 64).Select(i => (byte)(i * 7))];
        pixels[^1] += (byte)pixel;
        Npz.Write(_test.PathOf("aux.npz"),
        [
            new NamedArray("image", ElementType.U8, [40, 1, 8, 8], pixels),
            NamedArray.FromInt64("label", [.. Enumerable.Range(0, 40).Select(i => (long)((i + label) % 3))], 40),
        ], compress: false);
        return _test.PathOf("aux.npz");
    }

    [Fact]
    public void ACheckpointThatCannotBeWrittenLeavesTheEarlierOne()
    {
        string whole = trained.Run(7), run = Copied("run", 3);
        string earlier = Directory.GetFiles(Path.Combine(run, "checkpoints")).Max(StringComparer.Ordinal)!;
        byte[] before = File.ReadAllBytes(earlier);
        string obstacle = Directory.CreateDirectory(Path.Combine(run, "checkpoints", "step-00000004.safetensors")).FullName;
        Assert.Equal(2, _test.Run("train", "--resume", run, "--set", "train.max_steps=7"));
        Assert.Matches(
            "rpat: the run stops at step 4, since .*step-00000004.* cannot be written .* has room \\(the checkpoint of step 3 is "
                + "intact\\)\\.\n", _test.Error);
        Assert.Contains("resume with: ", _test.Error);
        Assert.Equal(before, File.ReadAllBytes(earlier));
        Directory.Delete(obstacle);
        Assert.Equal(0, _test.Run("train", "--resume", run, "--set", "train.max_steps=7"));
        Assert.Equal(Hashes(whole), Hashes(run));
    }

    private static void Rewrite(string checkpoint, Action<Dictionary<string, string>> change, bool digest)
    {
        using var file = Safetensors.Read(checkpoint);
        var metadata = file.Metadata.ToDictionary();
        change(metadata);
        Safetensors.Write(checkpoint, [.. file.Tensors.Keys.Select(file.Load)], metadata, digest);
    }

    /// <summary>A run that ended after some steps, to be resumed.</summary>
    private string Copied(string name, int steps, params string[] more) => RunFiles.Copy(trained.Run(steps, more), _test, name);

    private IReadOnlyList<string> RunsIn(string name) => RunFiles.Runs(_test, name);

    private static IEnumerable<string> Hashes(string run) => RunFiles.Hashes(run);

    /// <summary>Finished runs, each trained once.</summary>
    public sealed class Trained : IDisposable
    {
        private readonly TestHost _test = new();
        private readonly Dictionary<string, string> _runs = [];

        public void Dispose() => _test.Dispose();

        internal string Run(int steps, params string[] more)
        {
            string key = string.Join(' ', [$"{steps}", .. more]), name = $"{_runs.Count}";
            if (_runs.TryGetValue(key, out string? run)) return run;
            int code = _test.Run([.. Arguments(_test.PathOf(name), steps), .. more]);
            Assert.True(code == 0, _test.Error);
            return _runs[key] = RunFiles.Runs(_test, name).Single();
        }

        internal string[] Arguments(string folder, int steps) =>
        [
            .. TinyRun.Arguments(_test), "--set", $"train.max_steps={steps}", "--ema", "0.9", "--set", "checkpoint.steps=2", "--name", "a",
            "--out", folder,
        ];
    }
}
