using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>Options, networks and images that <c>rpat eval</c> refuses or warns of.</summary>
public sealed class EvalInputTests : EvaluatedNet
{
    [Fact]
    public void APictureIsSaidToBeNoCheckpointBeforeItsDataAreAskedFor()
    {
        File.WriteAllBytes(Test.PathOf("p.png"), [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 0, 0, 13]);
        Assert.Equal(6, Test.Run("eval", Test.PathOf("p.png")));
        Assert.Contains("p.png' is a picture: give a checkpoint", Test.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--eps 0", "--eps is '0' where a positive number is wanted", 2)]
    [InlineData("--eps -0.1", "--eps", 2)]
    [InlineData("--eps 8", "write 8/255", 2)]
    [InlineData("--eps nan", "--eps is 'nan'", 2)]
    [InlineData("--norm l3", "--norm is 'l3': did you mean 'l2'? (norms: linf, l2, l1)", 2)]
    [InlineData("--attacks clean,pgd", "'pgd', which is not an attack", 2)]
    [InlineData("--attacks autoattak", "which is not an attack; did you mean 'aa'?", 2)]
    [InlineData("--norm l2 --attacks fgsm", "does not know the norm l2", 2)]
    [InlineData("--attacks cw-l2", "does not know the norm linf", 2)]
    [InlineData("--n -1", "--n is -1", 2)]
    [InlineData("--batch-size 0", "--batch-size is '0'", 2)]
    [InlineData("--data cifar10x", "there is no data set", 2)]
    [InlineData("-j 5000", "run.threads is '5000' (--threads): it wants a whole number from 0 to 1024", 2)]
    [InlineData("--json /nowhere/x.json", "'/nowhere/x.json' cannot be written: check that its folder exists and is writable (", 2)]
    [InlineData("--robustbench-json /", "'/' is a folder: give the name of a file in it (", 2)]
    public void Wrong_input_is_one_sentence(string options, string expected, int code)
    {
        string[] given = options.Split(' ');
        string[] data = given.Contains("--data") ? [] : ["--data", $"npz:{Data}"];
        Assert.Equal(code, Test.Run(["eval", Model, .. data, .. given, "--out", Test.PathOf("out")]));
        Assert.Contains(expected, Test.Error);
        Assert.Single(Test.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(Test.PathOf("out")));
    }

    [Theory]
    [InlineData("--norm l1 --eps 1000", "--eps is 1000, and no two images are farther apart than 64 in l1: give less.")]
    [InlineData("--first 24 --n 5", "--first is 24, and 'data' has the images 0 to 23: give less.")]
    public void What_the_images_do_not_have_is_refused_without_other_advice(string options, string sentence)
    {
        Assert.Equal(2, Test.Run(["eval", Model, "--data", $"npz:{Data}", .. options.Split(' ')]));
        Assert.EndsWith($"rpat: {sentence}\n", Test.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", Test.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eval", "--attacks")]
    [InlineData("attack", "--attack")]
    public void A_step_much_longer_than_the_radius_is_refused(string command, string option)
    {
        string[] output = command == "attack" ? ["-o", Test.PathOf("a.npz")] : [];
        Assert.Equal(2, Test.Run([command, Model, "--data", $"npz:{Data}", option, "pgd2", "--step-size", "1", .. output]));
        Assert.EndsWith("rpat: pgd2: step size 1 must be positive and fit the radius 0.03137255: pixels are in [0,1], so 2 of 255 levels "
            + "are 2/255.\n", Test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_finished_evaluation_is_not_overwritten()
    {
        string[] command = ["eval", Model, "--data", $"npz:{Data}", "--attacks", "pgd2", "--out", Test.PathOf("out")];
        Assert.Equal(0, Test.Run(command));
        Assert.Equal(2, Test.Run(command));
        Assert.Contains("/out' holds an evaluation already: go on with --resume, or choose another --out.", Test.Error,
            StringComparison.Ordinal);
        Assert.Equal(0, Test.Run([.. command, "--resume"]));
    }

    [Fact]
    public void A_network_that_does_not_fit_into_memory_is_not_blamed_on_the_batch()
    {
        ModelSpec wide = Spec with { Width = 32 };
        using (var device = Device.Cpu(1))
            Safetensors.Write(Model, ModelCatalog.Build(device, wide, seed: 1).State(), ModelMetadata.Write(wide));
        Assert.Equal(4, Test.Run("eval", Model, "--data", $"npz:{Data}", "--memory", "1"));
        Assert.Contains("net.safetensors' alone does not fit: give --memory more, or none.", Test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_answers_NaN_ends_with_an_error_and_no_number()
    {
        using var device = Device.Cpu(1);
        ModelSpec spec = Spec;
        FeatureClassifier net = ModelCatalog.Build(device, spec, seed: 1);
        net.Parameters.Parameters[0].Upload([.. Enumerable.Repeat(float.NaN, 36)]);
        Safetensors.Write(Model, net.State(), ModelMetadata.Write(spec));
        Assert.Equal(8, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean", "--out", Test.PathOf("out")));
        Assert.Contains("hold NaN", Test.Error);
        Assert.Empty(Test.Out);
    }

    [Theory]
    [InlineData(float.NaN, 0, "holds NaN in image 1 where 0 to 1 is expected: check how it was made")]
    [InlineData(1.5f, 0, "undo the normalisation by mean and deviation")]
    [InlineData(-0.3f, 0, "undo the normalisation by mean and deviation")]
    [InlineData(90f, 0, "divide pixels by 255")]
    [InlineData(0.5f, -1, "label -1 at image 1: number the classes from 0")]
    [InlineData(0.5f, 10, "labels above the 10 classes")]
    public void Images_and_labels_that_are_none_are_one_sentence(float pixel, long label, string expected)
    {
        float[] images = [.. Enumerable.Repeat(0.5f, 128)];
        images[100] = pixel;
        Npz.Write(Data, [NamedArray.FromFloats("images", images, 2, 1, 8, 8), NamedArray.FromInt64("labels", [0, label], 2)]);
        Assert.NotEqual(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean,aa", "--out", Test.PathOf("out")));
        Assert.Contains(expected, Test.Error);
        Assert.Empty(Test.Out);
    }

    [Theory]
    [InlineData("linf", "8/255")]
    [InlineData("l2", "0.5")]
    public void Two_classes_and_images_of_one_pixel_give_a_labelled_result(string norm, string eps)
    {
        using (var device = Device.Cpu(1))
        {
            ModelSpec spec = new("preactresnet18", new Shape(1, 1, 1, 1), 2) { Width = 4, Blocks = 1 };
            Safetensors.Write(Model, ModelCatalog.Build(device, spec, seed: 1).State(), ModelMetadata.Write(spec));
        }
        Npz.Write(Data, [new NamedArray("images", ElementType.U8, [4, 1, 1, 1], new byte[] { 0, 80, 160, 255 }),
            NamedArray.FromInt64("labels", [0, 1, 0, 1], 4)]);
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "aa,cw,deepfool", "--norm", norm, "--eps", eps,
            "--out", Test.PathOf("out")));
        Assert.Contains("AA (K=2, adapted)", Test.Out);
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", Test.PathOf("out")));
        Assert.Contains("warning [class-count]", Test.Out);
        Assert.DoesNotContain("nan", Test.Out, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_model_that_returns_probabilities_is_warned_of()
    {
        using (var device = Device.Cpu(1))
        {
            FeatureClassifier net = ModelCatalog.Build(device, Spec, seed: 1);
            net.Parameters.Parameters.First(p => p.Name == "linear.weight").Upload(new float[320]);
            net.Parameters.Parameters.First(p => p.Name == "linear.bias").Upload([.. Enumerable.Repeat(0.1f, 10)]);
            Safetensors.Write(Model, net.State(), ModelMetadata.Write(Spec));
        }
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "fgsm", "--out", Test.PathOf("out")));
        Assert.Contains("warning [probabilities]", Test.Out);
    }

    [Fact]
    public void Labels_above_the_networks_classes_are_refused()
    {
        Npz.Write(Data, [new NamedArray("images", ElementType.U8, [1, 1, 8, 8], new byte[64]), NamedArray.FromInt64("labels", [12], 1)]);
        Assert.Equal(2, Test.Run("eval", Model, "--data", $"npz:{Data}", "--out", Test.PathOf("out")));
        Assert.Contains("labels above the 10 classes", Test.Error);
    }

    [Theory]
    [InlineData("--attacks aa --eps 4/255,8/255", "--eps names 2")]
    [InlineData("--attacks pgd20", "add aa to --attacks")]
    public void The_leaderboards_file_is_refused_before_anything_is_attacked(string options, string sentence)
    {
        Assert.Equal(2, Test.Run(["eval", Model, "--data", $"npz:{Data}", "--out", Test.PathOf("out"), "--robustbench-json",
            Test.PathOf("rb.json"), .. options.Split(' ')]));
        Assert.Contains(sentence, Test.Error);
        Assert.False(Directory.Exists(Test.PathOf("out")));
        Assert.False(File.Exists(Test.PathOf("rb.json")));
    }

    [Fact]
    public void A_damaged_evaluation_is_one_sentence()
    {
        string folder = Test.PathOf("damaged");
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "fgsm", "--n", "4", "--out", folder));
        foreach (string path in Directory.GetFiles(folder))
        {
            byte[] sound = File.ReadAllBytes(path);
            File.WriteAllText(path, "{\n");
            using var verify = new TestHost();
            int code = verify.Run("eval", "verify", folder);
            Assert.Equal(Path.GetFileName(path) == "SHA256SUMS" ? 8 : 3, code);
            Assert.DoesNotContain("eps 8/255:", verify.Out);
            if (code == 3) Assert.Single(verify.Error.TrimEnd().Split('\n'));
            else Assert.Contains("nothing is certified", verify.Out);
            File.WriteAllBytes(path, sound);
        }
    }

    [Fact]
    public void ImagesOfOtherChannelsAreSaidToBeSo()
    {
        Npz.Write(Data, [new NamedArray("images", ElementType.U8, [1, 3, 8, 8], new byte[192]), NamedArray.FromInt64("labels", [1], 1)]);
        Assert.Equal(2, Test.Run("eval", Model, "--data", $"npz:{Data}"));
        Assert.Contains("takes images of 1 channel, '", Test.Error, StringComparison.Ordinal);
        Assert.Contains("has 3 channels: choose other --data", Test.Error, StringComparison.Ordinal);
    }
}
