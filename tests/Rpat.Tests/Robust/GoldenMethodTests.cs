using Rpat.Robust.Losses;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

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
        ["pgd-at+rpat"] = c => new PgdAt(c.Attack).With(c.Term),
        ["pgd-at+rpat-quotient"] = c => new PgdAt(c.Attack).With(c.Term with { Form = PerceptionForm.DifferenceQuotient }),
        ["trades"] = c => new Trades(c.Attack) { Beta = c["beta"] },
        ["trades-l2"] = c => new Trades(c.Attack) { Beta = c["beta"] },
        ["trades+rpat"] = c => new Trades(c.Attack) { Beta = c["beta"] }.With(c.Term),
        ["mart"] = c => new Mart(c.Attack) { Beta = c["beta"] },
        ["mart+rpat"] = c => new Mart(c.Attack) { Beta = c["beta"] }.With(c.Term),
        ["consistency-at"] = c => new Consistency(c.Attack) { Weight = c["weight"], Temperature = c["temperature"] },
        ["consistency-at+rpat"] = c => new Consistency(c.Attack) { Weight = c["weight"], Temperature = c["temperature"] }.With(c.Term),
        ["wa"] = c => c.AtC().With(c.Ema),
        ["rebat"] = c => new ReBat(c.Attack) { Beta = c["beta"], Decay = c["ema"] },
        ["rebat-train"] = c => new ReBat(c.Attack) { Beta = c["beta"], Decay = c["ema"] },
        ["rpat++"] = c => new RpatPlusPlus(c.Attack) { Beta = c["beta"], Alpha = c["alpha"], Decay = c["ema"] },
        ["rpat++-l2"] = c => new RpatPlusPlus(c.Attack) { Beta = c["beta"], Alpha = c["alpha"], Decay = c["ema"] },
        ["awp"] = c => c.AtC().With(new Awp { Gamma = c["gamma"] }),
        ["trades-awp"] = c => MethodCatalog.Make("trades-awp", new Dictionary<string, string> { ["gamma"] = $"{c["gamma"]}" }, c.Attack),
        ["gairat"] = c => new Gairat(c.Attack) { Lambda = c["big_lambda"] },
        ["ewat"] = c => new Ewat(c.Attack),
        ["mail-at"] = c => new PgdAt(c.Attack.B(InnerLoss.CrossEntropy)).With(c.Mail),
        ["mail-trades"] = c => new Trades(c.Attack) { Beta = c["beta"], Repeat = false }.With(c.Mail),
        ["te"] = c => new Te(c.Attack),
        ["kd-swa"] = c => new KdSwa(c.Attack) { Own = c["own"], Clean = c["first"], Robust = c["second"], Temperature = c["temperature"] },
        ["sovr"] = c => new Sovr(c.Attack) { Share = c["percent"] / 100, Lambda = c["weight"] },
        ["adr"] = c => new Adr(c.Attack)
        {
            TemperatureStart = c["temperature"],
            TemperatureEnd = c["temperature"],
            ShareStart = c["rectify"],
            ShareEnd = c["rectify"],
            Decay = c["ema"],
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
