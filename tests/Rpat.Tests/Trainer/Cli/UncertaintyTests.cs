using Rpat.Robust.Methods;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>
/// The register of what no source settles (methods.md section 9), line by line: <c>rpat methods show</c> marks the value that is assumed.
/// Lines that no training method has a value for (AutoAttack's constants, "UAAT", texts that were not at hand) have no row.
/// </summary>
public sealed class UncertaintyTests : IDisposable
{
    private readonly TestHost _test = new();

    /// <summary>Line of the register, method, key.</summary>
    public static TheoryData<string, string, string> Register => new()
    {
        { "the paper's lambda, alpha and start for each table", "pgd-at+rpat", "method.rpat.weight" },
        { "the paper's lambda, alpha and start for each table", "trades+rpat", "method.rpat.alpha" },
        { "the paper's lambda, alpha and start for each table", "mart+rpat", "method.rpat.start" },
        { "epochs of the benchmark runs", "pgd-at", "train.epochs" },
        { "epochs of the benchmark runs", "consistency-at+rpat", "train.epochs" },
        { "which ResNet-18", "trades", "model.name" },
        { "which ResNet-18", "mart", "model.name" },
        { "Tiny-ImageNet settings", "pgd-at+rpat", "data.name" },
        { "Tiny-ImageNet settings", "consistency-at", "data.name" },
        { "which loss form the tables used", "consistency-at+rpat", "method.rpat.form" },
        { "ReBAT* and RPAT++*", "rebat", "data.augment.cutmix" },
        { "ReBAT* and RPAT++*", "rpat++", "data.augment.cutmix" },
        { "ReBAT/RPAT++ WRN-34-10 without CutMix", "rebat", "schedule.factor" },
        { "ReBAT/RPAT++ WRN-34-10 without CutMix", "rebat", "method.beta" },
        { "ReBAT/RPAT++ WRN-34-10 without CutMix", "rpat++", "schedule.factor" },
        { "RPAT++ flags", "rpat++", "method.beta" },
        { "RPAT++ flags", "rpat++", "method.schedule" },
        { "RPAT++ flags", "rpat++", "method.decay" },
        { "WA row", "wa", "method.decay" },
        { "WA row", "wa", "method.start" },
        { "WA row", "wa", "schedule.factor" },
        { "EWAT formula", "ewat", "method.add_one" },
        { "EWAT formula", "ewat", "method.relative" },
        { "SOVR formula, constants and schedule", "sovr", "method.share" },
        { "SOVR formula, constants and schedule", "sovr", "method.lambda" },
        { "SOVR formula, constants and schedule", "sovr", "train.epochs" },
        { "MMA d_max", "mma", "method.threshold" },
        { "MAIL variant", "mail-at", "method.name" },
        { "nets behind SOVR-sourced rows", "mma", "model.name" },
        { "nets behind SOVR-sourced rows", "gairat", "model.name" },
        { "nets behind SOVR-sourced rows", "ewat", "model.name" },
        { "nets behind SOVR-sourced rows", "mail-at", "model.name" },
        { "nets behind SOVR-sourced rows", "sovr", "model.name" },
        { "CURE: beta, weight decay, decay of r, mask variant", "cure", "method.beta" },
        { "CURE: beta, weight decay, decay of r, mask variant", "cure", "optimizer.weight_decay" },
        { "CURE: beta, weight decay, decay of r, mask variant", "cure", "method.probability" },
        { "CURE: beta, weight decay, decay of r, mask variant", "cure", "method.probability_fall" },
        { "CURE: beta, weight decay, decay of r, mask variant", "cure", "method.code_form" },
        { "motivation figure", "clean", "model.name" },
        { "motivation figure", "noise", "attack.eps" },
        { "which row of ADR's README the table has", "adr", "method.report_average" },
        { "which row of ADR's README the table has", "adr", "method.gamma" },
        { "constants of variants that no table has", "te", "method.beta" },
        { "constants of variants that no table has", "mail-mart", "method.beta" },
        { "constants of variants that no table has", "mail-mart", "method.slope" },
        { "constants of variants that no table has", "mail-mart", "method.bias" },
    };

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Register))]
    public void WhatNoSourceSettlesIsMarked(string line, string method, string key)
    {
        Assert.Equal(0, _test.Run("methods", "show", method));
        Assert.True(Marked(_test.Out, key), $"{line}: 'rpat methods show {method}' does not mark {key}.");
        Assert.Contains("UNCERTAIN: no source settles this value; it is assumed.", _test.Out);
    }

    [Fact]
    public void NothingElseIsMarked()
    {
        var register =
            Register.Select(row => $"{((string)row[1]).Replace(MethodCatalog.RpatSuffix, "", StringComparison.Ordinal)} {row[2]}")
            .ToHashSet();
        // one row stands for several methods
        string[] shared = ["train.epochs", "model.name", "data.name", "attack.eps", "method.start", "schedule.factor"];
        var marked = MethodCatalog.All.SelectMany(m => m.Settings.Where(s => s.IsUncertain).Select(s => $"{m.Name} method.{s.Name}")
            .Concat(m.Assumed.Select(a => $"{m.Name} {a.Key}")));
        Assert.All(marked.Where(name => !shared.Contains(name.Split(' ')[1])), name => Assert.Contains(name, register));
    }

    [Fact]
    public void ARecipeTakesWhatIsAssumed()
    {
        var recipes = RecipeLibrary.Names.Select(name => ConfigResolver.Resolve(
            new ConfigSources([], new Dictionary<string, string>(), [], [("--recipe", ConfigKeys.Of(c => c.Recipe.Name), name)]))).ToList();
        foreach (var method in MethodCatalog.All)
            foreach (var (key, value, _) in method.Assumed)
                Assert.True(
                    recipes.Exists(r => MethodCatalog.Find(r.Config.Method.Name)!.Name == method.Name && r.Values[key].Text == value),
                    $"no recipe of {method.Name} has {key} = {value}");
    }

    private static bool Marked(string shown, string key) => shown.Split('\n').Any(line =>
        line.StartsWith($"  {key} = ", StringComparison.Ordinal) && line.TrimEnd().EndsWith("  UNCERTAIN", StringComparison.Ordinal));
}
