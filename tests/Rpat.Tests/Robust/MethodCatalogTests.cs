using Rpat.Robust.Methods;
using Rpat.Samples.Extensions;

namespace Rpat.Tests.Robust;

public class MethodCatalogTests
{
    private static readonly Dictionary<string, string> _nothing = [];

    public static TheoryData<string> Names => [.. Built.Select(method => method.Name)];

    // The tests register methods of their own.
    private static IReadOnlyList<MethodInfo> Built => MethodCatalog.Find(typeof(MethodCatalog).Assembly);

    [Fact]
    public void Every_published_method_has_its_name()
    {
        string[] expected =
        [
            "adaad", "adr", "awp", "clean", "consistency-at", "cure", "ewat", "gairat", "gkl", "igdm", "kd-swa", "mail-at", "mail-mart",
            "mail-trades", "mart",
            "mma", "noise", "pgd-at", "raat", "rebat",
            "rpat++", "sovr", "te", "trades", "trades-awp", "wa",
        ];
        Assert.Equal(expected, Built.Select(method => method.Name));
        foreach (string baseline in new[] { "pgd-at", "trades", "mart", "consistency-at" })
            Assert.Contains(baseline + "+rpat", MethodCatalog.Names);
        Assert.Null(MethodCatalog.Find("mma+rpat"));
        Assert.Null(MethodCatalog.Find("pgd"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_method_is_made_from_its_defaults_and_keeps_its_name(string name)
    {
        var method = MethodCatalog.Find(name)!;
        Objective made = MethodCatalog.Make(name, _nothing, PgdOptions.Linf);
        Assert.Equal(name, made.Name);
        Assert.Equal(made, MethodCatalog.Make(name, method.Settings.ToDictionary(s => s.Name, s => s.Default), PgdOptions.Linf));
        Assert.Equal(method.TwoViews, made.TwoViews);
        Assert.Equal(method.Teachers, made.AllTeachers);
        Assert.All(method.Settings, s => Assert.True(s.About.Length > 0 && s.Source.Length > 0, s.Name));
    }

    [Theory]
    [InlineData("beta", "-1", "setting 'beta' of method trades is '-1': it wants a number from 0 to 1000000, such as 0.1, 1e-4 or 8/255.")]
    [InlineData("beta", "six",
    "setting 'beta' of method trades is 'six': it wants a number from 0 to 1000000, such as 0.1, 1e-4 or 8/255.")]
    [InlineData("beta", "1/0",
    "setting 'beta' of method trades is '1/0': it wants a number from 0 to 1000000, such as 0.1, 1e-4 or 8/255.")]
    [InlineData("repeat", "yes", "setting 'repeat' of method trades is 'yes': it wants true or false.")]
    [InlineData("gamma", "1", "method trades has no setting 'gamma': its settings are beta, repeat.")]
    public void A_wrong_setting_is_named(string name, string value, string message) => Assert.Equal(
        message, Assert.Throws<ArgumentException>(() => MethodCatalog.Make("trades", new Dictionary<string, string>
        { [name] = value }, PgdOptions.Linf)).Message);

    [Fact]
    public void Settings_take_fractions_and_an_empty_text_is_the_default()
    {
        Dictionary<string, string> given = new() { ["threshold"] = "12/255", ["clean"] = "" };
        var made = (Mma)MethodCatalog.Make("mma", given, PgdOptions.Linf);
        Assert.Equal((12 / 255f, 1 / 3f), (made.Threshold, made.Clean));
        Assert.Equal(["32/255", "0.005", "10", "1/3"], MethodCatalog.Find("mma")!.Settings.Select(setting => setting.Default));
    }

    [Fact]
    public void An_attacks_start_and_mode_are_the_methods_unless_they_are_set()
    {
        Assert.Equal((PgdStart.Gaussian, "kl"), Attack("trades", PgdOptions.Linf, a => (a.Start, a.Loss.Name)));
        Assert.Equal((PgdStart.Direction, BnMode.Train), Attack("awp", PgdOptions.Linf, a => (a.Start, a.Bn)));
        var set = PgdOptions.Linf with { Start = PgdStart.Ball, Bn = BnMode.Eval };
        Assert.Equal((PgdStart.Ball, BnMode.Eval), Attack("awp", set, a => (a.Start, a.Bn)));
    }

    private static T Attack<T>(string name, PgdOptions pgd, Func<PgdOptions, T> look) =>
        look(MethodCatalog.Make(name, _nothing, pgd).Attack!);

    [Fact]
    public void A_registered_assemblys_method_is_known_to_all_and_trains()
    {
        Assert.Equal(["alp", "focal-at"], MethodCatalog.Find(typeof(FocalAt).Assembly).Select(method => method.Name));
        Catalog.Register(typeof(FocalAt).Assembly); // again
        Assert.Single(MethodCatalog.All, method => method.Name == "focal-at");
        Assert.Contains("focal-at+rpat", MethodCatalog.Names);
        Objective made = MethodCatalog.Make("focal-at", new Dictionary<string, string> { ["focus"] = "0" }, PgdOptions.Linf with
        { Steps = 2 });
        using var device = Engine.Devices.Device.Cpu(1);
        var plain = TestNets.Train(device, new PgdAt(PgdOptions.Linf with { Steps = 2 }), steps: 1);
        Assert.Equal(plain.Losses[0], TestNets.Train(device, made, steps: 1).Losses[0], 1e-6);
    }
}
