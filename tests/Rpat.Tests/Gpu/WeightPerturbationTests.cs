namespace Rpat.Tests.Gpu;

/// <summary>More weights than the groups of a launch take at once; ILGPU's CPU accelerator takes too long for them.</summary>
[Collection(GpuCollection.Name)]
public class WeightPerturbationTests(GpuFixture fixture)
{
    [Fact]
    public void Groups_go_round() => ElementTests.Perturb(new Duel(fixture), 70_000);
}
