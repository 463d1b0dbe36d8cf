namespace Rpat.Tests.Ops;

/// <summary>Backward passes from given gradients, and flat images.</summary>
public class CotangentTests
{
    [Fact]
    public void The_backward_pass_starts_from_what_was_uploaded()
    {
        using var device = Device.Cpu(1);
        Tensor x = Tensor.From(device, new Shape(2, 3, 2, 1), [.. Enumerable.Range(0, 12).Select(i => (float)i)], needsGrad: true);
        Tape tape = new(device, Gradients.Inputs);
        Tensor flat = tape.Flatten(x), given = tape.Cotangent(flat);
        for (int run = 1; run <= 2; run++)
        {
            float[] gradient = [.. Enumerable.Range(0, 12).Select(i => (float)(i * run))];
            tape.Forward();
            Assert.Equal(x.ToArray(), flat.ToArray());
            given.Upload(gradient);
            long before = device.BackwardPasses;
            tape.Backward();
            Assert.Equal(gradient, x.GradToArray());
            Assert.Equal(before + 1, device.BackwardPasses);
        }
    }

    [Fact]
    public void Flattening_applies_a_normalisation_and_its_derivative()
    {
        using var device = Device.Cpu(1);
        Tensor x = Tensor.From(device, new Shape(1, 2, 1, 2), [0.5f, 1, 0.25f, 0], needsGrad: true);
        Tape tape = new(device, Gradients.Inputs);
        Tensor flat = tape.Flatten(tape.Normalize(x, new Normalize(device, [0.5f, 0.25f], [0.5f, 0.25f]))), given = tape.Cotangent(flat);
        tape.Forward();
        Assert.Equal([0f, 1, 0, -1], flat.ToArray());
        given.Upload([1, 2, 3, 4]);
        tape.Backward();
        Assert.Equal([2f, 4, 12, 16], x.GradToArray());
    }

    [Fact]
    public void Activations_are_refused()
    {
        using var device = Device.Cpu(1);
        DeviceRun lane = new(CpuSetup.Best, Gradients.Inputs);
        using (lane)
        {
            Tensor h = lane.Activation(Array4.Uniform(1, 3, 2, 2, seed: 1));
            OpErrors.Names("Flatten", () => lane.Tape.Flatten(h), "must be images");
            OpErrors.Names("Cotangent", () => lane.Tape.Cotangent(h), "plain rows");
        }
    }
}
