using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Trainer.Recipes;

/// <summary>
/// What was decided about the quirks of the official codes (methods.md section 8), by its number: the default, and the switch for the
/// code's way where there is one. Numbers 7 (float32), 11 (evaluation settings), 13 (the bisection moves no statistics) and 15 (losses from
/// log-softmax) have neither; golden steps and the tests of losses and attacks hold them.
/// </summary>
public class DecisionsTests
{
    [Theory]
    [InlineData("resnet18-bottleneck")] // 1: as the benchmarks' code builds what it calls resnet18
    [InlineData("preactresnet18-benchmarks")] // 2: as that code builds it
    [InlineData("wideresnet34-10")] // 3
    public void TheCodesNetworksCanBeChosen(string name) => Assert.NotNull(ModelCatalog.Find(name));

    [Theory]
    [InlineData("cifar10-resnet18-pgd-at-linf", "model.name", "resnet18")] // 1
    [InlineData("cifar10-preactresnet18-rpat++-linf", "model.name", "preactresnet18")] // 2
    [InlineData("cifar10-wrn-34-10-rpat++-linf", "model.classes", "0")] // 3: as many as the data set has
    [InlineData("cifar10-resnet18-pgd-at+rpat-l2", "attack.eps", "128/255")] // 6
    [InlineData("cifar10-resnet18-pgd-at+rpat-l2", "attack.step", "15/255")] // 6
    // 8: CIFAR-10's, as published; the key takes others
    [InlineData("cifar100-preactresnet18-rpat++-linf", "model.mean", "0.4914, 0.4822, 0.4465")]
    public void ARecipeTakesWhatWasDecided(string recipe, string key, string value) => Assert.Equal(value, ConfigResolver.Resolve(
        new ConfigSources([], new Dictionary<string, string>(), [],
            [("--recipe", ConfigKeys.Of(c => c.Recipe.Name), recipe)])).Values[key].Text);

    [Theory]
    [InlineData("rpat++", "alpha", "0.5")] // 4: one α, between clean and adversarial, as method.rpat.alpha
    [InlineData("consistency-at", "weight", "1")] // 5: beside method.rpat.weight
    [InlineData("wa", "log_clean", "false")] // 9
    [InlineData("rebat", "log_clean", "false")] // 9
    [InlineData("rpat++", "log_clean", "false")] // 9
    [InlineData("awp", "log_clean", "false")] // 9
    [InlineData("cure", "code_form", "false")] // 16
    public void ASettingHasTheDefaultThatWasDecided(string method, string setting, string value) =>
        Assert.Equal(value, MethodCatalog.Find(method)!.Settings.Single(s => s.Name == setting).Default);

    [Fact]
    public void TheAveragedNetworkIsAskedInEvaluationModeAndMailsConstantIsThree() // 10, 14
    {
        float[] weights = new float[1];
        new Mail { Slope = 0 }.Weigh([0, 0], [0], weights);
        Assert.Equal(1.5f, weights[0]);
        Assert.True(new ReBat(PgdOptions.Linf).AllModifiers.OfType<EmaAveraging>().Single().Statistics); // which evaluation mode needs
    }

    [Fact]
    public void TheBestCheckpointIsChosenOnHeldOutImagesUnlessTheTestImagesAreAskedFor() // 12
    {
        Assert.Equal("validation", ConfigKeys.Of(c => c.Eval.Select).Default);
        Assert.Contains("test", ConfigKeys.Of(c => c.Eval.Select).Names!.All());
    }
}
