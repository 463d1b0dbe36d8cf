using Rpat.Robust.Attacks;

namespace Rpat.Tests.Trainer.Errors;

/// <summary>Names as people type them.</summary>
public sealed class KnownNamesTests
{
    private static readonly KnownNames[] _kinds =
    [
        CatalogNames.Models, CatalogNames.Methods, CatalogNames.Attacks, CatalogNames.Norms, CatalogNames.Recipes, DataSets.Names,
    ];

    [Theory]
    [InlineData("models", "wrn-34-10", "wideresnet34-10")]
    [InlineData("models", "WRN-28-4", "wideresnet28-4")]
    [InlineData("models", "WRN_28_10", "wideresnet28-10")]
    [InlineData("models", "WideResNet-70-16", "wideresnet70-16")]
    [InlineData("models", "Wide-ResNet28x10", "wideresnet28-10")]
    [InlineData("models", "PreActResNet-18", "preactresnet18")]
    [InlineData("models", "ResNet18", "resnet18")]
    [InlineData("models", "VGG-16", "vgg16")]
    [InlineData("models", "wrn-35-10", null)]
    [InlineData("methods", "TRADES", "trades")]
    [InlineData("methods", "PGD_AT", "pgd-at")]
    [InlineData("methods", "Trades+RPAT", "trades+rpat")]
    [InlineData("methods", "trades-rpat", "trades+rpat")]
    [InlineData("methods", "RPAT", "pgd-at+rpat")]
    [InlineData("methods", "RPAT++", "rpat++")]
    [InlineData("methods", "trade", null)]
    [InlineData("attacks", "autoattack", "aa")]
    [InlineData("attacks", "AutoAttack", "aa")]
    [InlineData("attacks", "AA", "aa")]
    [InlineData("attacks", "aa+", "aa-plus")]
    [InlineData("attacks", "AutoAttack-rand", "aa-rand")]
    [InlineData("attacks", "PGD-37", "pgd37")]
    [InlineData("attacks", "pgd_100", "pgd100")]
    [InlineData("attacks", "APGD_CE", "apgd-ce")]
    [InlineData("attacks", "FAB-T", "fab-t")]
    [InlineData("attacks", "Clean", "clean")]
    [InlineData("attacks", "C&W", "cw")]
    [InlineData("attacks", "pgd", null)]
    [InlineData("data sets", "CIFAR-10", "cifar10")]
    [InlineData("data sets", "Fashion_MNIST", "fashion-mnist")]
    [InlineData("data sets", "TinyImageNet-200", "tiny-imagenet")]
    [InlineData("data sets", "npz:Mine/A.npz", "npz:Mine/A.npz")]
    [InlineData("data sets", "folder:PICS", "folder:PICS")]
    [InlineData("data sets", "mnist", null)]
    [InlineData("norms", "Linf", "linf")]
    [InlineData("norms", "L_inf", "linf")]
    [InlineData("norms", "L∞", "linf")]
    [InlineData("norms", "L2", "l2")]
    [InlineData("norms", "L3", null)]
    [InlineData("recipes", "CIFAR10-PreActResNet18-RPAT-Linf", "cifar10-preactresnet18-rpat-linf")]
    [InlineData("recipes", "fashion_quick", "fashion-quick")]
    public void ANameIsFoundHoweverItIsTyped(string kind, string typed, string? name) => Assert.Equal(name, Kind(kind).Match(typed));

    [Theory]
    [InlineData("attacks", "autoattak", "did you mean 'aa'? (nearest attacks: ")]
    [InlineData("models", "wrn-35-10", "did you mean 'wideresnet34-10'? (nearest models: wideresnet34-10, ")]
    [InlineData("recipes", "cifar10", "the nearest recipes are cifar10-")]
    [InlineData("recipes", "zzz", "'rpat recipes' lists all")]
    [InlineData("methods", "tradse", "did you mean 'trades'?")]
    public void OnlyTheNearestFiveAreSuggested(string kind, string typed, string part)
    {
        var names = Kind(kind);
        string hint = names.Hint(typed);
        Assert.Contains(part, hint, StringComparison.Ordinal);
        Assert.InRange(hint.Length, 1, 250);
        Assert.Equal(4, hint.Split(';')[0].Count(c => c == ','));
    }

    [Fact]
    public void EveryNameIsItself()
    {
        foreach (var kind in _kinds)
            foreach (string name in kind.All())
            {
                Assert.Equal(name, kind.Match(name));
                if (!name.Contains(':')) Assert.Equal(name, kind.Match(name.ToUpperInvariant()));
            }
    }

    [Theory]
    [InlineData("clean", "Clean")]
    [InlineData("pgd20", "PGD-20")]
    [InlineData("bim10", "BIM-10")]
    [InlineData("cw", "CW")]
    [InlineData("cw-l2", "CW-L2")]
    [InlineData("r+fgsm", "R+FGSM")]
    [InlineData("deepfool", "DeepFool")]
    [InlineData("square (steps=10 p=0.8)", "Square (steps=10 p=0.8)")]
    [InlineData("aa", "AA")]
    [InlineData("aa-standard", "AA")]
    [InlineData("aa-standard(K=2, adapted)", "AA (K=2, adapted)")]
    [InlineData("aa-rand", "AA-rand")]
    [InlineData("apgd-dlr-transfer", "APGD-DLR-transfer")]
    [InlineData("my-own", "my-own")]
    public void AnAttackHasOneTitle(string name, string title) => Assert.Equal(title, AttackTitle.Of(name));

    [Fact]
    public void WhatIsShownOfAnAttackCanBeTyped() =>
        Assert.All(AttackCatalog.Examples, name => Assert.Equal(name, CatalogNames.Attacks.Match(AttackTitle.Of(name))));

    [Fact]
    public void AConfigurationHasTheNamesOwnSpelling()
    {
        var sources = new ConfigSources([], new Dictionary<string, string>(),
            ["recipe=Fashion_Quick", "method=TRADES", "model=WRN-28-4", "attack.norm=L2", "eval.attacks=Clean,PGD-5", "schedule=Cosine"],
            []);
        var resolved = ConfigResolver.Resolve(sources);
        Assert.Equal(["fashion-quick", "trades", "wideresnet28-4", "l2", "cosine"],
            new[] { "recipe.name", "method.name", "model.name", "attack.norm", "schedule.kind" }.Select(key => resolved.Values[key].Text));
        Assert.Equal(["clean", "pgd5"], resolved.Config.Eval.Attacks.Select(attack => attack.Name));
        Assert.Equal(Norm.L2, resolved.Config.Attack.Norm);
    }

    private static KnownNames Kind(string plural) => _kinds.Single(kind => kind.Plural == plural);
}
