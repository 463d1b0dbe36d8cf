using Rpat.Engine;
using Rpat.Robust;
using Rpat.Robust.Losses;

namespace Rpat.Tests.Robust;

/// <summary>
/// Two training steps of every method against PyTorch's in double precision, which were written from the methods' definitions alone
/// (Golden/README.md): losses, weights, running statistics, averaged networks. <see cref="GoldenCombinationTests"/> has their combinations.
/// </summary>
public sealed class GoldenMethodTests
{
    private static readonly Dictionary<string, Func<GoldenCase, Objective>> _objectives = new()
    {
        ["clean"] = _ => new Clean(),
        ["noise"] = c => new Noise(c.Attack),
        ["pgd-at"] = c => new PgdAt(c.Attack),
        ["pgd-at-l2"] = c => new PgdAt(c.Attack),
        ["pgd-at+rpat"] = c => c.Rpat(new PgdAt(c.Attack)),
        ["pgd-at+rpat-quotient"] = c => c.Rpat(new PgdAt(c.Attack)) with { Form = PerceptionForm.DifferenceQuotient },
        ["trades"] = c => new Trades(c.Attack, c["beta"]),
        ["trades-l2"] = c => new Trades(c.Attack, c["beta"]),
        ["trades+rpat"] = c => c.Rpat(new Trades(c.Attack, c["beta"])),
        ["mart"] = c => new Mart(c.Attack, c["beta"]),
        ["mart+rpat"] = c => c.Rpat(new Mart(c.Attack, c["beta"])),
        ["consistency-at"] = c => new ConsistencyAt(c.Attack, c["weight"], c["temperature"]),
        ["consistency-at+rpat"] = c => c.Rpat(new ConsistencyAt(c.Attack, c["weight"], c["temperature"])),
        ["wa"] = c => new Wa(c.Attack) { Average = new EmaAveraging(c["ema"]) },
        ["rebat"] = c => new ReBat(c.Attack, c["beta"]) { Average = new EmaAveraging(c["ema"]) },
        ["rebat-train"] = c => new ReBat(c.Attack, c["beta"]) { Average = new EmaAveraging(c["ema"]) },
        ["rpat++"] = c => new RpatPlusPlus(c.Attack, c["beta"], c["alpha"]) { Average = new EmaAveraging(c["ema"]) },
        ["rpat++-l2"] = c => new RpatPlusPlus(c.Attack, c["beta"], c["alpha"]) { Average = new EmaAveraging(c["ema"]) },
        ["awp"] = c => new AwpAt(c.Attack) { Awp = new WeightPerturbation(c["gamma"]) },
        ["trades-awp"] = c => new Trades(c.Attack, c["beta"]) { Awp = new WeightPerturbation(c["gamma"], Start: 10) },
        ["gairat"] = c => new Gairat(c.Attack, c["big_lambda"]),
        ["ewat"] = c => new Ewat(c.Attack),
        ["mail-at"] = c => new MailAt(c.Attack, new MarginWeights(c["slope"], c["bias"])),
        ["mail-trades"] = c => new MailTrades(c.Attack, new MarginWeights(c["slope"], c["bias"]), c["beta"]),
        ["te"] = c => new Te(c.Attack, new RampCoefficient(300, 90, 60)),
        ["kd-swa"] = c => new KdSwa(c.Attack, c["own"], c["first"], c["second"], c["temperature"]),
        ["sovr"] = c => new Sovr(c.Attack, c["percent"] / 100, c["weight"]),
        ["adr"] = c => new Adr(c.Attack, new RectifiedTarget(c["temperature"], c["temperature"], c["rectify"], c["rectify"]))
        {
            Average = new EmaAveraging(c["ema"]),
        },
        ["mma"] = c => c.Mma(),
        ["cure"] = c => c.Cure(),
        ["cure-code"] = c => c.Cure(),
    };

    public static TheoryData<string> Names => [.. _objectives.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Two_steps_are_PyTorchs(string name)
    {
        using GoldenCase golden = new(name);
        golden.Check(_objectives[name](golden));
    }
}
