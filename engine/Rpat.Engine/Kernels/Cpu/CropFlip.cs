namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : ICropFlipKernels
{
    public void CropFlip(in CropFlipOf how, DeviceBuffer pixels, ReadOnlySpan<int> indices, DeviceBuffer images)
    {
        fixed (int* index = indices) _pool.Run(new CropImage(how, (byte*)pixels.Floats(), index, images.Floats()), indices.Length);
    }

    private readonly struct CropImage(CropFlipOf how, byte* pixels, int* indices, float* images) : IJob
    {
        public void Run(int index, Worker worker)
        {
            PhiloxStream draws = (how.Key with { Sample = indices[index] }).Stream();
            int size = how.Image.SampleCount;
            Augmentation.Apply(
                (how.Image.H, how.Image.W), new ReadOnlySpan<byte>(pixels + (long)indices[index] * size, size), how.Options, draws,
                new Span<float>(images + (long)index * size, size));
        }
    }
}
