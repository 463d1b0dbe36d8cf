using ILGPU;
namespace Rpat.Engine.Gpu.Kernels;
internal interface IWord { }
internal readonly struct Tf32 : IWord { }
internal readonly struct Bf16 : IWord { }
internal static class TensorTile { public const int SharedQuads = 2176; }
internal readonly struct ConvTensorGemm<T>(PixelLoader loader, Target target) : IKernel where T : struct, IWord { public void Run() { loader.Start(); target.Store(0,0,0,default); } }
internal readonly struct WeightTensorGemm<T>(WeightLoader loader, WeightTarget target) : IKernel where T : struct, IWord { public void Run() { loader.PixelAt(0); target.Store(0,0,0,default); } }
