using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>What goes wrong in practice is one sentence on stderr and the exit code of its kind.</summary>
public sealed class ErrorCasesTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("--recipe fashion-quick train", "options come after the command, as in 'rpat train --recipe …'")]
    [InlineData("train fashion-quick", "did you mean '--recipe fashion-quick'?")]
    [InlineData("train fashion-mnist", "did you mean '--data fashion-mnist'?")]
    [InlineData("train README.md.none", "knows no command or argument 'README.md.none' (")]
    [InlineData("sweep fashion-quick --lambda 0,1", "did you mean '--rpat-weight'?")]
    [InlineData("train --lamda 3", "'train' knows no option '--lamda': did you mean '--rpat-weight'?")]
    [InlineData("train --set lambda=3", "unknown key 'lambda' (--set): did you mean 'method.rpat.weight'?")]
    [InlineData("sweep fashion-quick --set train.lamda=1,2", "did you mean 'method.rpat.weight'?")]
    [InlineData("train --recipe fashion-quick --set method.lambda=3", "has none of its own (--set); the perception term's is "
        + "--rpat-weight, or --set method.rpat.weight=.")]
    [InlineData("sweep fashion-quick --rpat-weight 0,x", "method.rpat.weight is 'x' (--rpat-weight): it wants a number")]
    [InlineData("train --recipe fashion-quick --data .", "did you mean 'folder:.'?")]
    [InlineData("docs glossary λ", "'glossary' has no section 'λ': its sections have no numbers, so read 'rpat docs glossary'.")]
    [InlineData("eval net.pt --step 2/255", "did you mean '--step-size'?")]
    [InlineData("eval -- -net.pt --data cifar10", "'eval' knows no option '--data' behind '--': options come before it (")]
    [InlineData("train --recipe cifar10", "did you mean 'cifar10-preactresnet18-rpat-linf'?")]
    [InlineData("help trian", "did you mean 'train'?")]
    [InlineData("help runs lst", "did you mean 'list'?")]
    [InlineData("config show --recipe fashion-quick --augment crop,flip,crop=2", "--augment names 'crop' twice")]
    [InlineData("data synth npz --size 3x512x512", "are more than a set may have (2 GiB)")]
    [InlineData("data synth cifar10 --n 1000000", "are more than a set may have (2 GiB)")]
    [InlineData("data synth cifar10 --classes 5", "--classes is for npz sets")]
    [InlineData("devices --self-test foo", "--self-test is 'foo': it wants cpu, cuda:0 for the first GPU")]
    [InlineData("eval union nowhere", "there is no folder 'nowhere': give the folder of an evaluation.")]
    [InlineData("bench comm --project --views 3", "--views is for a step of one's own: give its milliseconds, as in --project 300")]
    [InlineData("bench comm --project --rounds 3", "--rounds does not go with --project, which measures nothing")]
    [InlineData("bench comm --project --filter x", "--filter does not go with --project, which times nothing")]
    [InlineData("bench kernels --list --rounds 3", "--rounds does not go with --list, which times nothing")]
    [InlineData("bench kernels --list --artifacts x", "--artifacts does not go with --list, which times nothing to compare")]
    [InlineData("bench step --recipe fashion-quick --threads-model --profile", "--profile does not go with --threads-model")]
    [InlineData("sweep fashion-quick --seeds 1..2 --list --index 9", "--index does not go with --list, which has all rows")]
    [InlineData("devices --time 5", "--time is for the --self-test")]
    [InlineData("train --recipe fashion-quick --dry-run --json", "--json does not go with --dry-run")]
    [InlineData("sweep fashion-quick --seeds 1..2 --json", "--json does not go with a sweep that trains")]
    [InlineData("eval corruptions net.pt", "--corruptions is missing: give the folder of NAME.npy")]
    public void WhatWasMeantIsProposed(string typed, string sentence)
    {
        Assert.Equal(2, _test.Run(typed.Split(' ')));
        string line = Assert.Single(_test.Error.TrimEnd().Split('\n'), one => !one.StartsWith("note: ", StringComparison.Ordinal));
        Assert.Contains(sentence, line, StringComparison.Ordinal);
        Assert.DoesNotContain("?.", line, StringComparison.Ordinal);
    }

    [Fact]
    public void ATruncatedCifarFile()
    {
        string folder = Directory.CreateDirectory(_test.PathOf("cifar-10-batches-bin")).FullName;
        foreach (string name in (string[])["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"])
            File.WriteAllBytes(Path.Combine(folder, name + ".bin"), new byte[3073 * 2 + 100]);
        Fails(3, @"data_batch_1\.bin.* ends at byte 6246", "train", "--recipe", "cifar10-preactresnet18-rpat-linf", "--data-dir", folder);
    }

    [Fact]
    public void ALabelThatCifarDoesNotHave()
    {
        Assert.Equal(0, _test.Run("data", "synth", "cifar10", "-o", _test.Folder, "--n", "50", "--test", "10"));
        string file = _test.PathOf("cifar-10-batches-bin/data_batch_2.bin");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[3 * 3073] = 10;
        File.WriteAllBytes(file, bytes);
        using var train = new TestHost();
        Assert.Equal(3, train.Run("train", "--recipe", "cifar10-preactresnet18-rpat-linf", "--data-dir", _test.Folder, "--out",
            _test.PathOf("runs")));
        Assert.Matches(@"^rpat: '.*data_batch_2\.bin'.* 3 .*label 10", train.Error);
        Assert.Single(train.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void APictureOfAnotherSizeInAFolder()
    {
        foreach (var (name, side) in new[] { ("a/1", 8), ("a/2", 12), ("b/1", 8) })
        {
            Directory.CreateDirectory(_test.PathOf(Path.GetDirectoryName(name)!));
            Png.Write(_test.PathOf(name + ".png"), side, side, 3, new byte[3 * side * side]);
        }

        string sentence = @"2\.png' is 12x12 where .* is 8x8: scale";
        Fails(3, sentence, Train("--dataset", "folder:" + _test.Folder));
    }

    [Fact]
    public void AnUnknownKeyIsToldItsLineAndTheNearestName()
    {
        string file = _test.Write("mine.yaml", "recipe:\n  name: fashion-quick\nattack:\n  norm: linf\n  epss: 8/255\n");
        Fails(2, @"attack\.epss.*mine\.yaml:5.*'attack\.eps'", "train", "-c", file);
    }

    [Theory]
    [InlineData("--eps 8", "write 8/255 if that is what is meant")]
    [InlineData("--norm linff", "did you mean 'linf'")]
    [InlineData("--set optimizer.lr=fast", "optimizer.lr is 'fast' .--set.")]
    [InlineData("--epochz 3", "did you mean '--epochs'")]
    public void AWrongOption(string options, string pattern) => Fails(2, pattern, Train(options.Split(' ')));

    [Fact]
    public void ALabelOutOfRange() =>
        Fails(3, "has label -1 at image 0", Train("--dataset", "npz:" + TinyRun.Write(_test.PathOf("bad.npz"), firstLabel: -1)));

    [Fact]
    public void ImagesOfAnotherSize()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--out", _test.PathOf("runs")]));
        string run = RunFiles.Runs(_test, "runs").Single(), data = TinyRun.Write(_test.PathOf("colour.npz"), channels: 3);
        using var again = new TestHost();
        Assert.Equal(2, again.Run("eval", run, "--data", "npz:" + data, "--attacks", "clean", "--out", _test.PathOf("eval")));
        Assert.Matches("^rpat: .*takes images of 1 channel, .* has 3 channels: choose other --data", again.Error);
    }

    [Fact]
    public void AFolderThatCannotBeWritten() =>
        Fails(2, "no run folder can be made in", [.. TinyRun.Arguments(_test), "--out", Path.Combine(_test.Write("file", ""), "runs")]);

    [Fact]
    public void ABatchThatDoesNotFitIntoMemory() => Fails(
        4, "out of memory: choose a smaller train.batch",
        "train", "--recipe", "fashion-quick", "-b", "6000", "--set", "model.width=256", "--progress", "none", "--out",
        _test.PathOf("runs"));

    private string[] Train(params string[] arguments) =>
        ["train", "--recipe", "fashion-quick", .. arguments, "--out", _test.PathOf("runs")];

    private void Fails(int code, string pattern, params string[] arguments)
    {
        Assert.Equal(code, _test.Run(arguments));
        string sentence = Assert.Single(_test.Error.Split('\n'), line => line.StartsWith("rpat: ", StringComparison.Ordinal));
        Assert.Matches(pattern, sentence);
        Assert.DoesNotContain("   at ", _test.Error);
        Assert.Empty(_test.Out);
    }
}
