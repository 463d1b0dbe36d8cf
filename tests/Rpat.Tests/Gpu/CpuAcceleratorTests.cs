namespace Rpat.Tests.Gpu;

// The tests of every kernel that has no inline PTX once more, on ILGPU's own CPU accelerator.

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorAttackTests(CpuAcceleratorFixture fixture) : AttackTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorBatchNorm2dTests(CpuAcceleratorFixture fixture) : BatchNorm2dTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorBatchTests(CpuAcceleratorFixture fixture) : BatchTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorDepthwiseConv2dTests(CpuAcceleratorFixture fixture) : DepthwiseConv2dTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorElementTests(CpuAcceleratorFixture fixture) : ElementTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorLayerTests(CpuAcceleratorFixture fixture) : LayerTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorLossTests(CpuAcceleratorFixture fixture) : LossTests(fixture);

[Collection(CpuAcceleratorCollection.Name)]
public sealed class CpuAcceleratorRowTermTests(CpuAcceleratorFixture fixture) : RowTermTests(fixture);
