using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.IO;

public sealed class CutoutTests
{
    [Fact]
    public void BlackensTheSquareAroundTheDrawnPixel()
    {
        Gen<(int C, int H, int W, int Side, int Sample)> cases =
            from c in Gen.Choose(1, 3)
            from h in Gen.Choose(1, 9)
            from w in Gen.Choose(1, 9)
            from side in Gen.Choose(0, 12)
            from sample in Gen.Choose(0, 1000)
            select (c, h, w, side, sample);
        Prop.ForAll(cases.ToArbitrary(), t =>
        {
            PhiloxStream draws = new RandomKey(5, Purpose.Augment, 1, t.Sample, 0, 0).Stream();
            float[] image = [.. Enumerable.Repeat(1f, t.C * t.H * t.W)];
            Cutout.Apply(image, t.H, t.W, t.Side, draws, firstDraw: 4);
            int top = draws.Below(4, t.H) - t.Side / 2, left = draws.Below(5, t.W) - t.Side / 2;
            for (int i = 0; i < image.Length; i++)
            {
                int y = i / t.W % t.H, x = i % t.W;
                bool inside = y >= top && y < top + t.Side && x >= left && x < left + t.Side;
                Assert.Equal(inside ? 0 : 1, image[i]);
            }
        }).QuickCheckThrowOnFailure();
    }
}
