using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>
/// As <see cref="GoldenMethodTests"/>, for variants of methods, for blocks on top of each other, for L2, and for the later phases of
/// methods that change while a run advances.
/// </summary>
public sealed class GoldenCombinationTests
{
    private static readonly Dictionary<string, Func<GoldenCase, Objective>> _objectives = new()
    {
        ["trades+awp+ema+rpat"] = c => new Trades(c.Attack) { Beta = c["beta"] }.With(c.Term, c.Awp, c.Ema),
        ["mart+awp+rpat"] = c => new Mart(c.Attack) { Beta = c["beta"] }.With(c.Term, c.Awp),
        ["consistency-at+awp"] = c => Views(c).With(c.Awp),
        ["awp+rpat"] = c => c.AtC().With(c.Awp).With(c.Term),
        ["rebat+rpat"] = c => ReBat(c).With(c.Term),
        ["mail-trades+rpat"] = c => new Trades(c.Attack) { Beta = c["beta"], Repeat = false }.With(c.Mail).With(c.Term),
        ["te+rpat"] = c => Te(c).With(c.Term),
        ["ewat+rpat"] = c => Ewat(c).With(c.Term),
        ["sovr+rpat"] = c => new Sovr(c.Attack) { Share = c["percent"] / 100, Lambda = c["weight"] }.With(c.Term),
        ["adr+rpat"] = c => Adr(c).With(c.Term),
        ["kd-swa+rpat"] = c => Kd(c).With(c.Term),
        ["cure+rpat"] = c => c.Cure().With(c.Term),
        ["trades-once"] = c => new Trades(c.Attack) { Beta = c["beta"], Repeat = false },
        ["te-first"] = Te,
        ["te-trades"] = c => Te(c) with { Base = StandsOn.Trades, Beta = c["beta"] },
        ["adr-annealed"] = Adr,
        ["adr-awp"] = c => Adr(c) with { Gamma = c["awp"] },
        ["adr-trades"] = c => Adr(c) with { Base = StandsOn.Trades, Beta = c["beta"] },
        ["mail-mart"] = c => new Mart(c.Attack) { Beta = c["beta"] }.With(c.Mail),
        ["gairat-sigmoid"] = c => new Gairat(c.Attack) { Lambda = c["big_lambda"], Rule = GeometryRule.Sigmoid },
        ["gairat-discrete"] = c => new Gairat(c.Attack) { Lambda = c["big_lambda"], Rule = GeometryRule.Discrete },
        ["ewat-share"] = Ewat,
        ["ewat-entropy"] = Ewat,
        ["rebat-logs"] = c => new OfficialForwards { LogClean = true }.On(ReBat(c)),
        ["rebat-dependent"] = c => ReBat(c) with { Beta = 1, Schedule = BetaSchedule.Dependent },
        ["rebat-cutmix"] = c => ReBat(c),
        ["rpat++-cutmix"] = c => new RpatPlusPlus(c.Attack) { Beta = c["beta"], Alpha = c["alpha"], Decay = c["ema"] },
        ["awp-logs"] = c => new OfficialForwards { LogClean = true }.On(c.AtC().With(c.Awp)),
        ["gkl"] = c => c.Gkl(),
        ["gkl+rpat"] = c => c.Gkl().With(c.Term),
        ["gkl+awp"] = c => c.Gkl(),
        ["adaad"] = c => c.AdaAd(),
        ["adaad+rpat"] = c => c.AdaAd().With(c.Term),
        ["igdm"] = c => c.Igdm(),
        ["igdm+rpat"] = c => c.Igdm().With(c.Term),
        ["raat"] = c => c.Raat(),
        ["raat+rpat"] = c => c.Raat().With(c.Term),
        ["rpat++awp"] = c => new RpatPlusPlus(c.Attack) { Beta = c["beta"], Alpha = c["alpha"], Decay = c["ema"] }.With(c.Awp),
        ["pgd-at+sam"] = c => new PgdAt(c.Attack).With(new Sam { Rho = c["rho"] }),
        ["trades-smooth"] = c => new Trades(c.Attack) { Beta = c["beta"], Repeat = false }
            .With(c.Smoothing, c.Ema with { WarmUp = AverageWarmUp.Updates }),
        ["pgd-at-smooth-cutmix"] = c => new PgdAt(c.Attack).With(c.Smoothing),
        ["mart-l2"] = c => new Mart(c.Attack) { Beta = c["beta"] },
        ["consistency-at-l2"] = Views,
        ["awp-l2"] = c => c.AtC().With(c.Awp),
        ["te-l2"] = Te,
        ["kd-swa-l2"] = Kd,
        ["adr-l2"] = Adr,
        ["cure-l2"] = c => c.Cure(),
        ["mma-l2"] = c => c.Mma(),
    };

    public static TheoryData<string> Names => [.. _objectives.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Two_steps_are_PyTorchs(string name)
    {
        using GoldenCase golden = new(name);
        golden.Check(_objectives[name](golden));
    }

    private static Consistency Views(GoldenCase c) => new(c.Attack) { Weight = c["weight"], Temperature = c["temperature"] };

    private static ReBat ReBat(GoldenCase c) => new(c.Attack) { Beta = c["beta"], Decay = c["ema"] };

    private static Te Te(GoldenCase c) => new(c.Attack);

    private static Ewat Ewat(GoldenCase c) => new(c.Attack) { AddOne = c["one"] == 1, Relative = c["relative"] == 1 };

    private static KdSwa Kd(GoldenCase c) =>
        new(c.Attack) { Own = c["own"], Clean = c["first"], Robust = c["second"], Temperature = c["temperature"] };

    private static Adr Adr(GoldenCase c) => new(c.Attack)
    {
        TemperatureStart = c["temperature_start"],
        TemperatureEnd = c["temperature_end"],
        ShareStart = c["share_start"],
        ShareEnd = c["share_end"],
        Decay = c["ema"],
    };
}
