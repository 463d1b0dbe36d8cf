using Rpat.Models;
using Rpat.Tests.Distributed;
using Rpat.Trainer.Distributed;

namespace Rpat.Tests.Trainer.Training;

/// <summary>A batch norm has no statistics of one value per channel: such a batch is left out or refused before the first step.</summary>
public sealed class SmallestBatchTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    public static TheoryData<string> Models => [.. ModelCatalog.All.Select(family => family.Name)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Two_images_are_needed_where_one_cannot_be_recorded(string name)
    {
        using var device = Device.Cpu(1);
        int[] needed = [.. new[] { 8, 16, 32, 64 }.Select(side => Needed(device, name, side)).Where(n => n > 0)];
        Assert.Equal(name == "vgg16" ? 2 : 1, needed[^1]); // it takes images of 32 pixels only, and halves them five times
    }

    [Fact]
    public void A_last_batch_of_one_image_is_left_out_and_said_once()
    {
        Assert.Equal(0, Run("-b", "23", "--set", "train.epochs=2"));
        const string note =
            "the last batch of each epoch would have 1 image, which preactresnet18 cannot normalise on maps of one pixel: it is left out";
        string log = File.ReadAllText(Path.Combine(RunFiles.Runs(_test, "run").Single(), "log.txt"));
        Assert.Equal(2, log.Split(note).Length);
        Assert.Equal(0, Run("-b", "23", "--set", "train.epochs=2", "--dry-run"));
        Assert.Contains("2 steps of 23 images", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_forecast_of_an_epoch_of_one_batch_is_measured()
    {
        var config = ConfigResolver.Resolve([Layers.Defaults(), Layers.Sets(["data.name=npz:" + TinyRun.Write(_test.PathOf("tiny.npz")),
            "model.width=4", "train.batch=4", "train.overfit_batch=true", "device.name=cpu", "run.threads=1"])]).Config;
        using var run = Rpat.Training.Run.Open(config);
        Assert.Equal(1, run.StepsPerEpoch);
        Assert.True(CostEstimate.Of(run).StepSeconds > 0);
    }

    [Fact]
    public void With_further_images_every_batch_is_full()
    {
        string aux = _test.PathOf("aux.npz");
        Npz.Write(aux, [new NamedArray("image", ElementType.U8, [5, 8, 8, 1], new byte[5 * 64]),
            NamedArray.FromInt64("label", [0, 1, 2, 0, 1], 5)], compress: false);
        Assert.Equal(0, Run("-b", "23", "--set", "train.epochs=2", "--set", $"data.aux={aux}", "--set", "data.aux_fraction=0.5", "--dry-run"));
        Assert.Contains("4 steps of 23 images", _test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("would have 1 image", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Batches_of_one_image_are_refused_before_a_run_folder_exists()
    {
        Assert.Equal(2, Run("-b", "1"));
        Assert.Equal(
            "rpat: train.batch is 1, and preactresnet18 normalises maps of one pixel by the images of a batch: give at least 2, "
                + "or larger images.\n", _test.Error);
        Assert.Empty(RunFiles.Runs(_test, "run"));
    }

    [Fact]
    public void Processes_share_a_batch_whose_parts_have_one_image_each()
    {
        var config = ConfigResolver.Resolve([Layers.Defaults(), Layers.Sets(
        [
            "data.name=npz:" + TinyRun.Write(_test.PathOf("tiny.npz")), "model.name=preactresnet18", "model.width=4", "method.name=pgd-at",
            "attack.steps=1",
            "train.batch=2", "device.name=cpu", "run.threads=1",
        ])]).Config;
        double[] losses = Team.Run(2, team =>
        {
            using var run = Rpat.Training.Run.Open(config, new RunProcessGroup(team));
            run.Step.Run(new float[2 * run.Net.InputShape.SampleCount], [0, 1], [0, 1], epoch: 1, rate: 0.1f);
            return run.Step.Loss.Read();
        });
        Assert.Equal(losses[0], losses[1]);
        Assert.True(double.IsFinite(losses[0]));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("4")]
    public void A_dry_run_of_processes_with_one_image_each_measures(string processes) =>
        Assert.Equal(0, Run("--nproc", processes, "--dry-run"));

    private int Run(params string[] more)
    {
        string[] tiny = TinyRun.Arguments(_test);
        int batch = Array.IndexOf(tiny, "-b");
        string[] given = more.Contains("-b") ? [.. tiny[..batch], .. tiny[(batch + 2)..]] : tiny;
        return _test.Run([.. given, "--model", "preactresnet18", "-j", "1", "--out", _test.PathOf("run"), .. more]);
    }

    // 0 where the network has no such input.
    private static int Needed(Device device, string name, int side)
    {
        Classifier net;
        int needed;
        try
        {
            net = ModelCatalog.Build(device, new ModelSpec(name, new Shape(1, 3, side, side), 3)
            { Width = name.StartsWith("wide", StringComparison.Ordinal) ? 1 : 4 }, 1);
            needed = SmallestBatch.Of(net);
        }
        catch (Exception error) when (error is ShapeException or ArgumentException)
        {
            return 0;
        }
        var one = Tensor.Create(device, net.InputShape.WithBatch(1));
        bool fits = Team.Try(() => net.Forward(new Tape(device), one, BnMode.Train)) is null;
        Assert.Equal(fits ? 1 : 2, needed);
        return needed;
    }
}
