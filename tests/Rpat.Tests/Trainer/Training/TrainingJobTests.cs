using Rpat.Samples.Snippets;

namespace Rpat.Tests.Trainer.Training;

/// <summary>The program that the README shows for a training that can be resumed.</summary>
public sealed class TrainingJobTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_that_was_left_half_way_ends_with_the_bits_of_one_that_was_not(bool dies)
    {
        Assert.False(Train("whole", new Watch(_ => { })).Interrupted);
        using var stop = new CancellationTokenSource();
        var watch = new Watch(step =>
        {
            if (step < 5) return; // there is a checkpoint of step 4
            if (dies) throw new InvalidOperationException("the process dies");
            stop.Cancel();
        });
        if (dies) Assert.Throws<InvalidOperationException>(() => Train("left", watch));
        else Assert.True(Train("left", watch, stop.Token).Interrupted);
        Assert.Equal(5, watch.Steps);
        var rest = new Watch(_ => { });
        var outcome = Train("left", rest);
        Assert.Equal(dies ? 8 : 7, rest.Steps);
        Assert.Equal(["Clean", "PGD-2"], outcome.Results[0].Scores.Select(score => score.Title));
        Assert.Equal(RunFiles.Hashes(RunFiles.Runs(_test, "whole").Single()), RunFiles.Hashes(RunFiles.Runs(_test, "left").Single()));
    }

    /// <summary>A validation may take longer than a process that is told to end is given.</summary>
    [Theory]
    [InlineData(1, "average.swa=1")] // whose weights move once per epoch
    [InlineData(2, "average.ema=0.9")]
    [InlineData(2, "train.max_steps=6")] // which ends within an epoch
    public void A_stop_during_a_validation_leaves_it_to_the_resumed_run(int epoch, string setting)
    {
        string[] more = ["data.validation=8", "eval.monitor=pgd2", setting];
        Assert.False(Train("whole", new Watch(_ => { }), default, more).Interrupted);
        using var stop = new CancellationTokenSource();
        var watch = new Watch(_ => { })
        {
            Trained = trained =>
            {
                if (trained == epoch) stop.Cancel();
            }
        };
        Assert.True(Train("left", watch, stop.Token, more).Interrupted);
        string left = RunFiles.Runs(_test, "left").Single();
        Assert.Equal(epoch, Lines(left, "train"));
        Assert.Equal(epoch - 1, Lines(left, "val"));
        var rest = new Watch(_ => { });
        Train("left", rest, default, more);
        Assert.Equal(epoch == 1 ? 4 : 0, rest.Steps);
        Assert.Equal(RunFiles.Hashes(RunFiles.Runs(_test, "whole").Single()), RunFiles.Hashes(left));

        static int Lines(string run, string split) =>
            File.ReadLines(Path.Combine(run, "metrics.jsonl")).Count(line => line.Contains($"\"{split}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void A_run_of_several_processes_is_none_of_a_jobs() =>
        Assert.Contains("a job trains in one process",
        Assert.ThrowsAny<UserException>(() => Train("many", new Watch(_ => { }), default, "run.processes=2")).Message);

    [Fact]
    public void A_run_that_was_opened_and_never_trained_does_not_block_its_name()
    {
        string opened;
        using (var job = TrainingJob.Open([.. Settings("free"), "run.name=x", "train.seed=7"])) opened = job.Folder;
        using (var same = TrainingJob.Open([.. Settings("free"), "run.name=x", "train.seed=7"])) Assert.Equal(opened, same.Folder);
        using var other = TrainingJob.Open([.. Settings("free"), "run.name=x"]);
        Assert.NotEqual(opened, other.Folder);
        Assert.Contains("start a new run under another run.name", Assert.ThrowsAny<UserException>(
            () => TrainingJob.Open([.. Settings("free"), "run.name=x", "train.seed=7"])).Message); // it is open
        Assert.Contains("no other process or job has it open",
            Assert.ThrowsAny<UserException>(() => TrainingJob.Open([.. Settings("free"), "run.name=x"])).Message);
    }

    [Fact]
    public void A_job_that_is_refused_leaves_no_device_behind()
    {
        const int threads = 64, times = 4;
        int least = int.MaxValue;
        for (int attempt = 0; attempt < 3; attempt++) // other tests have threads too
        {
            int before = Threads();
            for (int i = 0; i < times; i++)
                Assert.Contains("data.augment.crop is 20", Assert.ThrowsAny<UserException>(
                    () => TrainingJob.Open([.. Settings("none"), $"run.threads={threads}", "data.augment.crop=20"])).Message);
            least = Math.Min(least, Threads() - before);
        }
        Assert.InRange(least, -1000, threads * times / 2);
    }

    [Fact]
    public async Task A_job_that_is_disposed_while_it_trains_in_another_thread_is_cancelled()
    {
        using var begun = new ManualResetEventSlim();
        var job = TrainingJob.Open([.. Settings("gone"), "run.name=x", "train.epochs=100000"]);
        var training = Task.Run(() => job.Train(new Watch(_ => begun.Set())));
        Assert.True(begun.Wait(60_000));
        job.Dispose();
        Assert.True((await training).Interrupted);
        Assert.Throws<ObjectDisposedException>(() => job.Train());
    }

    [Fact]
    public void A_job_trains_once_and_a_second_time_loses_nothing()
    {
        using var job = TrainingJob.Open([.. Settings("once"), "run.name=x", "train.epochs=1"]);
        job.Train();
        string[] before = Files(job.Folder);
        Assert.Contains("open it again", Assert.Throws<InvalidOperationException>(() => job.Train()).Message);
        Assert.Equal(before, Files(job.Folder));
        Assert.Contains(before, file => file.Contains("checkpoints", StringComparison.Ordinal));

        static string[] Files(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order()
            .Select(file => $"{file} {new FileInfo(file).Length}")];
    }

    [Fact]
    public void Fewer_classes_than_the_images_have_are_refused() => Assert.Equal(
        "model.classes is 2, and 'tiny' has images of class 2: leave it at 0, or give at least 3.",
        Assert.ThrowsAny<UserException>(() => TrainingJob.Open([.. Settings("few"), "model.classes=2"])).Message);

    /// <summary>The state of a network has neither the normalisation before it nor strides.</summary>
    [Theory]
    [InlineData("model.mean=0.5", "model.std=0.25", "a network that normalises images by [0.5] and [0.25], and the run's takes images as "
        + "they are: set model.mean and model.std as there.")]
    [InlineData("model.stem_stride=2", "train.seed=1", "whose model.stem_stride is 2, and the run's is 1: set it as there.")]
    public void A_run_starts_from_weights_that_see_its_images(string first, string second, string sentence)
    {
        string folder;
        using (var job = TrainingJob.Open([.. Settings("first"), "train.epochs=1", first, second]))
        {
            folder = job.Folder;
            job.Train();
        }
        string weights = $"model.weights={folder}";
        Assert.Contains(sentence, Assert.ThrowsAny<UserException>(() => TrainingJob.Open([.. Settings("next"), weights])).Message);
        using var same = TrainingJob.Open([.. Settings("next"), weights, first, second]);
    }

    [Fact]
    public void A_teacher_of_no_weight_is_not_asked_for()
    {
        using var job = TrainingJob.Open([.. Settings("alone"), "method.name=kd-swa", "method.clean=0", "method.robust=0"]);
        Assert.Contains("learns from a clean teacher", Assert.ThrowsAny<UserException>(
            () => TrainingJob.Open([.. Settings("taught"), "method.name=kd-swa", "method.robust=0"])).Message);
    }

    [Fact]
    public void What_is_null_is_named()
    {
        var set = LabeledImages.FromFloats("own", 1, 2, 2, new float[8], [0, 1]);
        foreach (var (name, open) in new (string, Action)[]
        {
            ("settings", () => TrainingJob.Open((IReadOnlyList<string>)null!)), ("setting", () => TrainingJob.Open([null!])),
            ("settings", () => TrainingJob.Open((set, set), null!)), ("setting", () => TrainingJob.Open((set, set), [null!])),
            ("train", () => TrainingJob.Open((null!, set), [])), ("test", () => TrainingJob.Open((set, null!), [])),
        })
            Assert.Equal(name, Assert.Throws<ArgumentNullException>(open).ParamName);
    }

    private static int Threads()
    {
        using var me = Process.GetCurrentProcess();
        return me.Threads.Count;
    }

    private string[] Settings(string folder)
    {
        string data = _test.PathOf("tiny.npz");
        if (!File.Exists(data)) TinyRun.Write(data);
        return
        [
            $"data.name=npz:{data}", "model.width=4", "attack.steps=1", "train.batch=4", "train.epochs=2", "eval.attacks=clean,pgd2",
            "optimizer.lr=0.01",
            "checkpoint.steps=2", "device.name=cpu", "run.threads=1", $"run.out={_test.PathOf(folder)}",
        ];
    }

    private TrainingOutcome Train(string folder, IProgressView watch, CancellationToken stop = default, params string[] more) =>
        ResumableTraining.Train([.. Settings(folder), .. more], watch, stop);

    /// <summary>Counts training steps and tells their number.</summary>
    private sealed class Watch(Action<int> stepped) : IProgressView
    {
        public int Steps { get; private set; }

        /// <summary>Receives each epoch when it is trained and not yet validated.</summary>
        public Action<int> Trained { get; init; } = static _ => { };

        public void EpochDone(EpochSummary summary) => Trained(summary.Epoch);

        public void Update(ProgressSnapshot snapshot)
        {
            if (snapshot.Phase == "train") stepped(++Steps);
        }
    }
}
