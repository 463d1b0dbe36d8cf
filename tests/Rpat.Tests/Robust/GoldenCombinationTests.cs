using Rpat.Engine;
using Rpat.Robust;

namespace Rpat.Tests.Robust;

/// <summary>
/// As <see cref="GoldenMethodTests"/>, for variants of methods, for blocks on top of each other, for L2, and for the later phases of
/// methods that change while a run advances.
/// </summary>
public sealed class GoldenCombinationTests
{
    private static readonly Dictionary<string, Func<GoldenCase, Objective>> _objectives = new()
    {
        ["trades+awp+ema+rpat"] = c => c.Rpat(new Trades(c.Attack, c["beta"])) with { Awp = Awp(c), Average = c.Ema },
        ["mart+awp+rpat"] = c => c.Rpat(new Mart(c.Attack, c["beta"])) with { Awp = Awp(c) },
        ["consistency-at+awp"] = c => Views(c) with { Awp = Awp(c) },
        ["awp+rpat"] = c => c.Rpat(new AwpAt(c.Attack) { Awp = Awp(c) }),
        ["rebat+rpat"] = c => c.Rpat(ReBat(c, c["beta"])),
        ["mail-trades+rpat"] = c => c.Rpat(new MailTrades(c.Attack, Margins(c), c["beta"])),
        ["te+rpat"] = c => c.Rpat(Te(c)),
        ["ewat+rpat"] = c => c.Rpat(Ewat(c)),
        ["sovr+rpat"] = c => c.Rpat(new Sovr(c.Attack, c["percent"] / 100, c["weight"])),
        ["adr+rpat"] = c => c.Rpat(Adr(c)),
        ["kd-swa+rpat"] = c => c.Rpat(Kd(c)),
        ["cure+rpat"] = c => c.Rpat(c.Cure()),
        ["trades-once"] = c => new Trades(c.Attack, c["beta"], RepeatClean: false),
        ["te-first"] = Te,
        ["te-trades"] = c => Te(c) with { Beta = c["beta"] },
        ["adr-annealed"] = Adr,
        ["adr-awp"] = c => Adr(c) with { Awp = Awp(c) with { Everything = true, StatisticsFirst = true } },
        ["adr-trades"] = c => Adr(c) with { Beta = c["beta"] },
        ["mail-mart"] = c => new MailMart(c.Attack, Margins(c), c["beta"]),
        ["gairat-sigmoid"] = c => new Gairat(c.Attack, c["big_lambda"], Rule: GeometryRule.Sigmoid),
        ["gairat-discrete"] = c => new Gairat(c.Attack, c["big_lambda"], Rule: GeometryRule.Discrete),
        ["ewat-share"] = Ewat,
        ["ewat-entropy"] = Ewat,
        ["rebat-logs"] = c => ReBat(c, c["beta"]) with { Pgd = c.Attack with { ScoresEnd = true } },
        ["rebat-dependent"] = c => ReBat(c, new RateCoefficient()),
        ["rebat-cutmix"] = c => ReBat(c, c["beta"]),
        ["rpat++-cutmix"] = c => new RpatPlusPlus(c.Attack, c["beta"], c["alpha"]) { Average = c.Ema },
        ["awp-logs"] = c => new AwpAt(c.Attack with { ScoresEnd = true }) { Awp = Awp(c) },
        ["mart-l2"] = c => new Mart(c.Attack, c["beta"]),
        ["consistency-at-l2"] = Views,
        ["awp-l2"] = c => new AwpAt(c.Attack) { Awp = Awp(c) },
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

    private static WeightPerturbation Awp(GoldenCase c) => new(c["awp"]);

    private static ConsistencyAt Views(GoldenCase c) => new(c.Attack, c["weight"], c["temperature"]);

    private static ReBat ReBat(GoldenCase c, Coefficient beta) => new(c.Attack, beta) { Average = c.Ema };

    private static Te Te(GoldenCase c) => new(c.Attack, new RampCoefficient(300, 90, 60));

    private static Ewat Ewat(GoldenCase c) => new(c.Attack, c["one"] == 1, c["relative"] == 1);

    private static KdSwa Kd(GoldenCase c) => new(c.Attack, c["own"], c["first"], c["second"], c["temperature"]);

    private static MarginWeights Margins(GoldenCase c) => new(c["slope"], c["bias"]);

    private static Adr Adr(GoldenCase c) =>
        new(c.Attack, new RectifiedTarget(c["temperature_start"], c["temperature_end"], c["share_start"], c["share_end"])) { Average = c.Ema };
}
