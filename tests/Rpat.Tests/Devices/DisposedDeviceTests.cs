using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Tests.Gpu;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Devices;

/// <summary>Whatever is used on the wrong device, or after its device was disposed, ends in an exception that says so.</summary>
public class DisposedDeviceTests
{
    private static readonly float[] _images = TestNets.Images(1, seed: 1);

    public static TheoryData<string> Uses => [.. _uses.Keys];

    private static readonly Dictionary<string, Action<Used>> _uses = new()
    {
        ["forward"] = u => u.Tape.Forward(),
        ["backward"] = u => u.Tape.Backward(),
        ["run"] = u => u.Tape.Run(),
        ["a new tape"] = u => new Tape(u.Device).Forward(),
        ["values"] = u => u.Logits.ToArray(),
        ["a gradient"] = u => u.X.GradToArray(),
        ["upload"] = u => u.X.Upload(_images),
        ["a new tensor"] = u => Tensor.Create(u.Device, new Shape(1, 4)),
        ["a new network"] = u => TestNets.Small(u.Device, width: 4),
        ["state"] = u => u.Net.State().ToArray(),
        ["optimizer"] = u => new Sgd(u.Net.Parameters, 0.9f, 0),
        ["attack"] = u => new Pgd(u.Net, PgdOptions.Linf).Perturb(u.X, Labels.From(u.Device, [0]), TestNets.Key, [0]),
        ["kernels"] = u => u.Device.Kernels.LinfStep(4, u.X.Data, u.X.Grad, 1, 1, u.X.Data),
    };

    [Theory]
    [MemberData(nameof(Uses))]
    public void Nothing_is_used_after_the_device(string use)
    {
        var used = Make(Device.Cpu(2));
        used.Device.Dispose();
        var error = Assert.Throws<ObjectDisposedException>(() => _uses[use](used));
        Assert.Equal("cpu", error.ObjectName);
        used.Device.Dispose();
    }

    [Theory]
    [InlineData("run")]
    [InlineData("upload")]
    [InlineData("a gradient")]
    [InlineData("a new tensor")]
    public void Nothing_is_used_after_a_GPU(string use)
    {
        var gpu = TestGpu.Open();
        Tensor x = Tensor.Create(gpu, TestNets.Image, needsGrad: true);
        var tape = new Tape(gpu);
        gpu.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _uses[use](new Used(gpu, null!, tape, x, null!)));
        gpu.Dispose();
    }

    [Fact]
    public void A_freed_buffer_and_its_views_are_not_read()
    {
        using var device = Device.Cpu(1);
        var buffer = device.Allocate(8);
        var view = buffer.View(2, 4);
        device.Free(buffer);
        Assert.Throws<ObjectDisposedException>(() => device.Download(view, new float[4]));
    }

    [Fact]
    public void A_network_is_not_recorded_on_another_devices_tape()
    {
        using Device here = Device.Cpu(1), there = Device.Cpu(1);
        var net = TestNets.Small(here, width: 4);
        var error = Assert.Throws<InvalidOperationException>(
            () => net.Forward(new Tape(there), Tensor.From(there, TestNets.Image, _images), BnMode.Eval));
        Assert.Contains("on another device than the tape", error.Message);
    }

    [Theory]
    [InlineData(3f, "undo the normalisation")]
    [InlineData(200f, "divide pixels by 255")]
    [InlineData(float.NaN, "check how it was made")]
    public void A_training_step_refuses_what_is_no_image(float pixel, string advice)
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Small(device, width: 4);
        var step = new TrainingStep(net, new PgdAt(PgdOptions.Linf), new Sgd(net.Parameters, 0.9f, 0), seed: 1);
        float[] images = [.. _images];
        images[5] = pixel;
        var error = Assert.Throws<ArgumentException>(() => step.Run(images, [0], [0], epoch: 1, rate: 0.1f));
        Assert.Contains(advice, error.Message);
    }

    [Fact]
    public void A_radius_in_levels_is_refused()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Small(device, width: 4);
        var runner = new AttackRunner(net, new AttackRunnerOptions());
        foreach (Attack attack in new Attack[] { new PgdAttack { Eps = 8 }, new Fgsm { Eps = 8 }, new Square { Eps = 1.5 } })
            Assert.Contains("8 of 255 levels are 8/255",
                Assert.Throws<ArgumentException>(() => runner.Perturb(attack, _images, [0])).Message);
        runner.Perturb(new Fgsm { Norm = Norm.L2, Eps = 1.5 }, _images, [0]);
    }

    private static Used Make(Device device)
    {
        var net = TestNets.Small(device, width: 4);
        var tape = new Tape(device, Gradients.Inputs);
        Tensor x = Tensor.From(device, TestNets.Image, _images, needsGrad: true);
        Tensor logits = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.CrossEntropy(logits, Labels.From(device, [0]));
        tape.Run();
        return new Used(device, net, tape, x, logits);
    }

    private sealed record Used(Device Device, PreActResNet Net, Tape Tape, Tensor X, Tensor Logits);
}
