using System.Runtime.Intrinsics;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Tests.Kernels;

/// <summary>What lies behind the end of an array is neither read nor written.</summary>
public class LanesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    public unsafe void LoadsAndStoresStopAtTheEnd(int left)
    {
        int valid = Math.Min(left, 16);
        float* from = stackalloc float[32], to = stackalloc float[32];
        for (int i = 0; i < 32; i++) (from[i], to[i]) = (i + 1, -1);
        var v = Lanes.Load(from, left);
        Lanes.Store(v, to, left);
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(i < valid ? i + 1 : 0, v[i]);
            Assert.Equal(i < valid ? i + 1 : -1, to[i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(33)]
    public void FirstLanesAreAMask(int count) =>
        Assert.Equal(Math.Min(count, 16), Enumerable.Range(0, 16).Count(i => float.IsNaN(Lanes.First(count)[i])));

    [Fact]
    public void WideArithmeticIsThatOfDoubles()
    {
        var a = Vector512.Create(1e8f) + Vector512<float>.Indices;
        var rounded = ((Wide.Of(a) * Wide.Of(a) + 1 - Wide.Sqrt(Wide.Of(a))) / 3).Narrow();
        for (int i = 0; i < 16; i++) Assert.Equal((float)(((double)a[i] * a[i] + 1 - Math.Sqrt(a[i])) / 3), rounded[i]);
        Assert.Equal(Enumerable.Range(0, 16).Sum(i => (double)a[i]), Wide.Of(a).Sum());
    }
}
