/**
 * The same two networks in PyTorch: reads a task per line, writes the seconds. Its
 * numbers are random, as no time depends on them.
 */
export const torchScript = `
import json, sys, time
import torch
from torch import nn

BATCH = json.loads(sys.argv[1])
if int(sys.argv[2]) > 0:
    torch.set_num_threads(int(sys.argv[2]))
ROWS = 14000
torch.manual_seed(1)

nets = {
    'lenet': lambda: nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10)),
    'mlp': lambda: nn.Sequential(
        nn.Linear(16, 60), nn.ReLU(), nn.Linear(60, 45), nn.ReLU(),
        nn.Linear(45, 30), nn.ReLU(), nn.Linear(30, 26)),
}
shapes = {'lenet': ((1, 28, 28), 10), 'mlp': ((16,), 26)}
sessions = {}
for name, make in nets.items():
    shape, classes = shapes[name]
    net = make()
    sessions[name] = (net, torch.optim.Adam(net.parameters(), lr=0.001),
                      torch.randn(ROWS, *shape), torch.randint(classes, (ROWS,)))
loss_of = nn.CrossEntropyLoss()

def train(net, optimizer, x, y, size):
    net.train()
    total = 0.0
    for batch in torch.randperm(len(x)).split(size):
        optimizer.zero_grad()
        loss = loss_of(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total

def infer(net, x, size):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part).softmax(1) for part in x.split(size)]).numpy()

print(torch.__version__, flush=True)
for line in sys.stdin:
    task = json.loads(line)
    net, optimizer, x, y = sessions[task['workload']]
    size = BATCH[task['workload']]
    x, y = x[:task['rows']], y[:task['rows']]
    start = time.perf_counter()
    for _ in range(task['epochs']):
        train(net, optimizer, x, y, size) if task['mode'] == 'train' else infer(net, x, size)
    print(time.perf_counter() - start, flush=True)
`;
