using System.Reflection.Emit;

namespace Rpat.Tests.Trainer.Bench;

public sealed class TimingTests
{
    [Fact]
    public void WhatIsStillCompiledIsNotWarm()
    {
        const int compiling = 3;
        int runs = 0;
        double seconds = Timing.Warm(() =>
        {
            if (++runs <= compiling) Compile();
            Thread.Sleep(100);
        }, TimeSpan.FromSeconds(0.1));
        Assert.InRange(runs, compiling + 1, 200);
        Assert.InRange(seconds, 0.09, 10);
    }

    [Fact]
    public void AtLeastOneRunIsTimed() => Assert.InRange(Timing.Seconds(() => Thread.Sleep(20), TimeSpan.Zero), 0.015, 10);

    private static void Compile()
    {
        var method = new DynamicMethod("", typeof(void), []);
        method.GetILGenerator().Emit(OpCodes.Ret);
        method.CreateDelegate<Action>()();
    }
}
