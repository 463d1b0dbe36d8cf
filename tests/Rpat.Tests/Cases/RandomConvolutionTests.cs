using Rpat.Engine.Cases;
using Rpat.Tests.Ops;

namespace Rpat.Tests.Cases;

/// <summary>
/// Convolutions of sizes that nobody chose, with the tiles of every instruction set: what tiles and parts leave over differs with each.
/// </summary>
public class RandomConvolutionTests
{
    private const int Shapes = 4;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 6)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Leave_what_the_reference_says(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < Shapes; i++)
        {
            var shape = Shape(random, i % 2 == 0);
            CpuCaseTests.Check(new($"{shape}, seed {seed}", make => Conv2dCases.Passes(make, shape, fused: false, x => new(x))),
                CpuSetup.Most);
        }
    }

    private static ConvShape Shape(Random random, bool isDeep)
    {
        int r = isDeep ? 3 : new[] { 1, 3, 3, 5 }[random.Next(4)], stride = random.Next(1, isDeep ? 3 : 4);
        int padding = isDeep ? 1 : random.Next(3);
        int most = isDeep ? 9 : 19, least = Math.Max(1, r - 2 * padding), trailing = random.Next(4) == 0 ? 1 : 0;
        bool isPlain = !isDeep && random.Next(3) == 0;
        int channels = isDeep ? random.Next(130, 560) : random.Next(1, isPlain ? 20 : 150);
        return new(new(random.Next(1, isDeep ? 24 : 9), channels, random.Next(least, most), random.Next(least, most)),
            isPlain ? Layout.Plain : Layout.Blocked, isDeep ? random.Next(200, 560) : random.Next(1, 150), r, stride, padding)
        { Trailing = isDeep ? 0 : trailing };
    }
}
