using Rpat.Engine;

namespace Rpat.Tests.Gpu;

// The tests of every kernel that has no inline PTX once more, on ILGPU's own CPU accelerator.

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorAttackTests(CpuAcceleratorFixture fixture) : AttackTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorBatchNorm2dTests(CpuAcceleratorFixture fixture) : BatchNorm2dTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorBatchTests(CpuAcceleratorFixture fixture) : BatchTests(fixture);

/// <summary>Two layers, one of them an image: a matrix product takes seconds there.</summary>
[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorConv2dTests(CpuAcceleratorFixture fixture)
{
    [Theory]
    [InlineData(Layout.Blocked, new[] { 2, 6, 7, 6, 9, 1, 2, 0 })]
    [InlineData(Layout.Plain, new[] { 2, 1, 7, 7, 5, 3, 2, 1 })]
    public void Every_direction_agrees_with_the_CPU(Layout layout, int[] sizes) => Conv2dTests.Check(layout, sizes, new Duel(fixture), null, [true]);
}

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorDepthwiseConv2dTests(CpuAcceleratorFixture fixture) : DepthwiseConv2dTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorElementTests(CpuAcceleratorFixture fixture) : ElementTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorLayerTests(CpuAcceleratorFixture fixture) : LayerTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorRowLossTests(CpuAcceleratorFixture fixture) : RowLossTests(fixture);
